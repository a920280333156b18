#pragma once

#include <pgq/cli/command/part/known_names.hpp>
#include <pgq/cli/database/stored_schedules.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/cron/any_zone.hpp>
#include <pgq/cron/expression.hpp>
#include <pgq/fsm/scheduler.hpp>
#include <pgq/protocol/schedule.hpp>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#ifdef PGQ_CLI_TIMEZONES
#include <pgq/timezones.hpp>
#endif

namespace pgq::cli::command::schedules {

/// Ends with 1 if there is no such schedule.
struct next {
    static constexpr const char* name = "next";
    static constexpr const char* what = "Show the next times of schedules; a paused one has none";

    void declare(CLI::App& a) {
        a.add_option("SCHEDULE", of_name, "Only this schedule")->type_name("NAME");
        a.add_option("--queue", queue, "Only of this queue")->type_name("NAME");
        a.add_option("-n,--count", count, "How many times of each (5)")
            ->check(CLI::Range(1, 1000))
            ->transform(decimal())
            ->type_name("N");
    }

    exit_code run(program& p) {
        if (const auto wrong = check_names(p, queue, {}); wrong != exit_code::done) return wrong;
        table t{{{"queue"}, {"name"}, {"at", kind::time}, {"in", kind::span}}};
        bool found = false;
        for (const auto& of : read_schedules(p, queue))
            for (const stored_schedule& s : of.list.all) {
                if (!of_name.empty() && s.name != of_name) continue;
                found = true;
                for (const time_point at : ticks_of(s))
                    t.add({of.queue, s.name, at, duration{std::max(at - of.list.now, std::chrono::microseconds{})}});
            }
        if (!found && !of_name.empty())
            return p.fail(exit_code::not_met, "there is no schedule " + statement::quoted(of_name),
                          '"' + program_name() + " schedules list\" shows all");
        p.show(t);
        return exit_code::done;
    }

    std::vector<time_point> ticks_of(const stored_schedule& s) const {
        std::vector<time_point> ticks;
        if (s.paused_at || !s.next_at) return ticks;
        const auto when = cron::expression::parse(s.expression).value();
        const auto zone = zone_of(s.zone);
        for (auto at = fsm::first_tick(when, zone, *s.next_at, s.ends_at); at && ticks.size() < count;
             at = fsm::first_tick(when, zone, *at + std::chrono::seconds{1}, s.ends_at))
            ticks.push_back(*at);
        return ticks;
    }
    static cron::any_zone zone_of(const std::string& text) {
        if (auto offset = cron::find_offset(text)) return *offset;
#ifdef PGQ_CLI_TIMEZONES
        return find_zone(text).value();
#else
        throw failure{error_info{errc::invalid_option, "this program knows no time zone " + statement::quoted(text),
                                 "build it with the library date"}};
#endif
    }

    std::string of_name{};
    std::string queue{};
    std::size_t count = 5;
};

}  // namespace pgq::cli::command::schedules
