#pragma once

#include <pgq/cli/output/terminal.hpp>

#include <cstdint>
#include <string>

namespace pgq::cli::command {

/// Says on stderr that a listing has more rows, so that stdout has nothing but rows in each format.
inline void say_next_page(std::int64_t after) {
    complain("there may be more; --after " + std::to_string(after) + " shows the next page");
}

}  // namespace pgq::cli::command
