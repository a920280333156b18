#pragma once

#include <pgq/cli/command/part/known_names.hpp>
#include <pgq/cli/database/server_time.hpp>
#include <pgq/cli/output/state_name.hpp>
#include <pgq/cli/program.hpp>
#include <pgq/cli/tree/option_kinds.hpp>

#include <pgq/admin/selection.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/when.hpp>

#include <CLI/App.hpp>
#include <CLI/Error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace pgq::cli::command {

/// The options that say which jobs. Jobs match all of them.
class job_filter {
public:
    /// For jobs in any state.
    void declare(CLI::App& a) {
        declare_for_held(a);
        const auto read = [this](const std::vector<std::string>& names) {
            states_ = {};
            for (const std::string& name : names) states_ = states_ | state_of(name);
        };
        a.add_option_function<std::vector<std::string>>("--state", read, "Only in this state; several: held,deferred")
            ->type_name("ready|deferred|blocked|leased|held")
            ->delimiter(',')
            ->expected(1)
            ->take_all();
        add_headers(a, headers_, "Only with this header; several: with all of them");
        add_moment(a, "--since", since_, "Only enqueued at this time or later; 2h: in the last two hours");
        add_moment(a, "--before", before_, "Only enqueued before this time; 2h: more than two hours ago");
    }
    /// For held jobs.
    void declare_for_held(CLI::App& a) {
        add_filter(a, "--queue", queue_, "Only of this queue", "NAME");
        add_filter(a, "--entrypoint", entrypoint_, "Only of this entrypoint", "NAME");
        add_filter(a, "--reason", reason_, "Only if the reason of the last failure has this text", "TEXT");
    }

    /// The line has none of these options.
    bool is_empty() const noexcept {
        return queue_.empty() && entrypoint_.empty() && reason_.empty() && headers_.empty() && states_ == any_state &&
               !since_.is_set() && !before_.is_set();
    }
    const std::string& queue() const noexcept { return queue_; }
    const std::string& entrypoint() const noexcept { return entrypoint_; }
    /// Says so if there is no such queue or entrypoint.
    exit_code check(program& p) const { return check_names(p, queue_, entrypoint_); }

    job_selection selection(program& p) const {
        return {.queue = queue_,
                .entrypoint = entrypoint_,
                .states = searched_states(),
                .headers = headers_,
                .reason = reason_,
                .enqueued_since = resolved(p, since_),
                .enqueued_before = resolved(p, before_)};
    }

private:
    /// Jobs that are ready or run keep no reason. Without them the search does not read the largest tables.
    job_state searched_states() const noexcept {
        constexpr unsigned with_reason =
            static_cast<unsigned>(job_state::deferred | job_state::blocked | job_state::held);
        const auto some = static_cast<job_state>(static_cast<unsigned>(states_) & with_reason);
        return reason_.empty() || some == job_state{} ? states_ : some;
    }
    static job_state state_of(std::string_view name) {
        for (const auto& [state, known] : state_names)
            if (name == known && state != job_state::ended) return state;
        throw CLI::ValidationError{"--state",
                                   '"' + std::string{name} + "\" is not one of ready|deferred|blocked|leased|held"};
    }

    std::string queue_{};
    std::string entrypoint_{};
    std::string reason_{};
    job_state states_ = any_state;
    std::vector<owned_header> headers_{};
    when since_{};
    when before_{};
};

}  // namespace pgq::cli::command
