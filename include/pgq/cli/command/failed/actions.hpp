#pragma once

#include <pgq/cli/command/part/acting.hpp>
#include <pgq/cli/command/part/bulk_action.hpp>

namespace pgq::cli::command::failed {

struct requeue : acting<requeue_words, true> {
    static constexpr const char* name = "requeue";
    static constexpr const char* what = "Run held jobs again, with no attempts counted";
};

struct drop : acting<drop_words, true> {
    static constexpr const char* name = "drop";
    static constexpr const char* what = "Delete held jobs";
};

}  // namespace pgq::cli::command::failed
