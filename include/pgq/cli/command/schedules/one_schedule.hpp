#pragma once

#include <pgq/cli/program.hpp>

#include <pgq/protocol/schedule.hpp>

#include <CLI/App.hpp>

#include <string>

namespace pgq::cli::command::schedules {

/// The schedule that a line names. What changes it ends with 1 if there is no such schedule, or if it is so already.
class one_schedule {
public:
    void declare(CLI::App& a) {
        a.add_option("SCHEDULE", name_, "The name of the schedule")->type_name("NAME")->required();
        a.add_option("--queue", queue_, "Its queue (default)")->type_name("NAME");
    }
    std::string text() const {
        return "schedule " + statement::quoted(name_) + " of queue " + statement::quoted(queue_);
    }
    schedule_change_reply change(program& p, schedule_change what, const std::string& reason = {}) const {
        return p.session().change_schedule(queue_, name_, what, reason).value();
    }
    bool exists(program& p) const {
        return !p.read("SELECT 1 FROM {s}.schedule WHERE queue = $1 AND name = $2", {queue_, name_}).empty();
    }
    exit_code refuse(program& p, const std::string& otherwise) const {
        const bool is_there = exists(p);
        return p.fail(exit_code::not_met, is_there ? text() + otherwise : "there is no " + text(),
                      '"' + program_name() + " schedules list\" shows all");
    }

private:
    std::string name_{};
    std::string queue_ = "default";
};

}  // namespace pgq::cli::command::schedules
