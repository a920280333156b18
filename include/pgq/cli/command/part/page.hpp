#pragma once

#include <pgq/cli/output/terminal.hpp>

#include <cstdint>
#include <string>

namespace pgq::cli::command {

/// Says on stderr that a listing has more rows, so that stdout has nothing but rows in each format.
inline void say_next_page(std::int64_t after, bool is_empty) {
    const std::string id = std::to_string(after);
    if (is_empty) complain("no job up to id " + id + " matches; --after " + id + " looks at those behind it");
    else complain("there may be more; --after " + id + " shows the next page");
}

}  // namespace pgq::cli::command
