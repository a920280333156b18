#pragma once

#include <pgq/cli/output/cell_text.hpp>
#include <pgq/cli/tree/option_kinds.hpp>

#include <pgq/error/result.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/unique.hpp>
#include <pgq/time/when.hpp>

#include <CLI/App.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::cli {

/// The options of an enqueue on the line.
class job_options {
public:
    void declare(CLI::App& a) {
        add_duration(a, "--delay", delay_, "Do not start it before this time has passed");
        add_time(a, "--at", at_, "Do not start it before this point in time")->excludes("--delay");
        a.add_option("--priority", priority_, "A higher one runs first (that of its type, else 0)")
            ->transform(decimal())
            ->type_name("N");
        declare_unique(a);
        a.add_option("--header", headers_, "A header NAME=VALUE; may be repeated")->type_name("TEXT")->take_all();
        a.add_option("--after", after_, "Start after the job with this id has ended; may be repeated")
            ->transform(decimal())
            ->type_name("ID")
            ->take_all();
        add_choice(a, "--if-parent-fails", if_parent_fails_, {"hold", "run", "cancel"},
                   "What becomes of it if one of those fails (hold)");
        add_duration(a, "--expires-in", expires_in_, "Never start it after this time has passed");
        add_choice(a, "--if-expired", if_expired_, {"drop", "hold"}, "What becomes of it then (drop)");
        a.add_option("--attempts", options_.max_attempts, "How many times it may be tried")
            ->transform(decimal())
            ->type_name("N");
        add_duration(a, "--timeout", options_.timeout, "How long an attempt may take");
        add_duration(a, "--keep-outcome", options_.keep_outcome, "How long its end can be read");
        a.add_option("--at-most", options_.at_most, "Refuse it if its entrypoint has so many jobs")
            ->transform(decimal())
            ->type_name("N");
        a.add_option("--request-id", request_id_, "Repeating the line with the same id enqueues nothing")
            ->type_name("TEXT");
    }

    /// Refers to texts of this object.
    result<enqueue_options> read() {
        enqueue_options o = options_;
        if (priority_) o.priority = *priority_;
        if (delay_ > duration{}) o.run_at = in(delay_);
        if (at_) o.run_at = pgq::at(*at_);
        if (expires_in_ > duration{}) o.expires_at = in(expires_in_);
        o.if_expired = if_expired_ == "hold" ? on_expiry::hold : on_expiry::drop;
        o.if_parent_fails = if_parent_fails_ == "run"      ? parent_failure::run
                            : if_parent_fails_ == "cancel" ? parent_failure::cancel
                                                           : parent_failure::hold;
        if (!request_id_.empty()) o.request_id = request_id_;
        if (!key_.empty()) o.unique_key = rule();
        parents_.clear();
        for (const std::int64_t id : after_) parents_.push_back({id});
        o.after = parents_;
        if (auto split = split_headers(); !split) return split.error();
        o.headers = pairs_;
        return o;
    }

private:
    void declare_unique(CLI::App& a) {
        auto* key = a.add_option("--unique", key_, "At most one job of the entrypoint has this key")->type_name("KEY");
        add_duration(a, "--unique-for", period_, "Keep the key for this time; else until the job has ended")
            ->needs(key);
        add_choice(a, "--if-duplicate", if_duplicate_, {"skip", "fail", "replace", "debounce"},
                   "What to do if a job has the key (skip)")
            ->needs(key);
    }
    unique rule() const noexcept {
        unique u{key_};
        if (period_ > duration{}) u = u.during(period_);
        if (if_duplicate_ == "fail") return u.or_fail();
        if (if_duplicate_ == "replace") return u.or_replace();
        return if_duplicate_ == "debounce" ? u.or_debounce() : u;
    }
    result<void> split_headers() {
        pairs_.clear();
        for (const std::string_view text : headers_) {
            const auto end = text.find('=');
            if (end == std::string_view::npos || end == 0)
                return error_info{errc::invalid_option, "--header " + std::string{text} + " has no name",
                                  "write --header NAME=VALUE"};
            pairs_.push_back({text.substr(0, end), text.substr(end + 1)});
        }
        return {};
    }

    enqueue_options options_{};
    duration delay_{}, expires_in_{}, period_{};
    std::optional<time_point> at_{};
    std::optional<int> priority_{};
    std::string key_{}, if_duplicate_{}, request_id_{}, if_parent_fails_{}, if_expired_{};
    std::vector<std::string> headers_{};
    std::vector<header> pairs_{};
    std::vector<std::int64_t> after_{};
    std::vector<job_id> parents_{};
};

}  // namespace pgq::cli
