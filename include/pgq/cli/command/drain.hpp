#pragma once

#include <pgq/cli/command/pause.hpp>

#include <pgq/protocol/pause.hpp>

namespace pgq::cli::command {

struct drain : pausing<pause_kind::draining> {
    static constexpr const char* name = "drain";
    static constexpr const char* what = "Enqueue no job of an entrypoint, a queue or everything until resume";
};

}  // namespace pgq::cli::command
