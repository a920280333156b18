#pragma once

#include <pgq/cli/command/part/known_names.hpp>
#include <pgq/cli/database/lanes.hpp>
#include <pgq/cli/program.hpp>

#include <CLI/App.hpp>

#include <string>

namespace pgq::cli::command {

/// What pause, drain and resume are about: an entrypoint, a queue, or everything in the schema.
class scope {
public:
    void declare(CLI::App& a) {
        auto* of_queue = a.add_option("QUEUE", queue_, "The name of a queue")->type_name("NAME");
        add_filter(a, "ENTRYPOINT", entrypoint_, "One of its entrypoints; without it the whole queue", "NAME");
        a.add_flag("--all", all_, "Everything in the schema")->excludes(of_queue);
    }

    const std::string& queue() const noexcept { return queue_; }
    const std::string& entrypoint() const noexcept { return entrypoint_; }
    /// For people: `queue "mail"`.
    std::string text() const {
        if (all_) return "everything";
        return names_text(queue_, entrypoint_);
    }

    /// Says what is wrong with the line, if it names nothing. `may_be_new`: it need not exist.
    exit_code check(program& p, bool may_be_new) const {
        if (queue_.empty() && !all_)
            return p.fail(exit_code::wrong_use, "a queue is missing", "name one, or say --all for everything");
        if (all_ || may_be_new || !read_lanes(p, queue_, entrypoint_).empty()) return exit_code::done;
        return p.fail(exit_code::not_met, "there is no " + text(),
                      known_names(p, !entrypoint_.empty()) + "; --new if it comes later");
    }

private:
    std::string queue_{};
    std::string entrypoint_{};
    bool all_ = false;
};

}  // namespace pgq::cli::command
