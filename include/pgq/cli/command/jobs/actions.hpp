#pragma once

#include <pgq/cli/command/part/acting.hpp>
#include <pgq/cli/command/part/bulk_action.hpp>

namespace pgq::cli::command::jobs {

struct cancel : acting<cancel_words> {
    static constexpr const char* name = "cancel";
    static constexpr const char* what = "Delete jobs in any state; those that run are asked to stop";
};

struct requeue : acting<requeue_words> {
    static constexpr const char* name = "requeue";
    static constexpr const char* what = "Run held jobs again, with no attempts counted";
};

struct run_now : acting<run_now_words> {
    static constexpr const char* name = "run-now";
    static constexpr const char* what = "Make deferred jobs ready; they keep their attempts and their order";
};

struct purge : acting<drop_words> {
    static constexpr const char* name = "purge";
    static constexpr const char* what = "Delete held jobs; \"cancel\" deletes jobs in any state";
};

}  // namespace pgq::cli::command::jobs
