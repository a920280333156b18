#pragma once

#include <pgq/cli/program.hpp>

#include <pgq/protocol/limit.hpp>
#include <pgq/time/clock.hpp>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace pgq::cli::command {

/// Ends with 1 if the database has no such limit. What the line does not name stays.
struct limits_set {
    static constexpr const char* name = "set";
    static constexpr const char* what = "Change a limit that a queue type declares; the next claim obeys";

    void declare(CLI::App& a) {
        a.add_option("QUEUE", queue, "The name of its queue")->type_name("NAME")->required();
        add_filter(a, "ENTRYPOINT", of.entrypoint, "Its entrypoint; without it the limit of the whole queue", "NAME");
        add_choice(a, "--kind", kind, {"running", "running_by_key", "rate"}, "Its kind (running)");
        a.add_option("--number", of.limit.number, "Which one, if there are several of the kind (0)")
            ->transform(decimal())
            ->type_name("N");
        a.add_option("--amount", amount, "Jobs at once, or jobs in each period; 0: no job starts")
            ->check(CLI::Range(0, std::numeric_limits<std::int32_t>::max()))
            ->transform(decimal())
            ->type_name("N");
        auto* period = add_duration(a, "--per", per, "The period of a rate");
        period->check([](const std::string& text) {
            const auto given = pgq::detail::read_duration(text);
            return given && *given < std::chrono::microseconds{1} ? "a period is longer than zero" : std::string{};
        });
        a.add_option("--burst", burst, "Jobs of a rate that may start at once")
            ->check(CLI::Range(1, std::numeric_limits<std::int32_t>::max()))
            ->transform(decimal())
            ->type_name("N");
    }

    exit_code run(program& p) {
        for (const auto each : {limit_kind::running, limit_kind::running_by_key, limit_kind::rate})
            if (name_of(each) == kind) of.limit.kind = each;
        if (of.limit.kind != limit_kind::rate && (per > duration{} || burst))
            return p.fail(exit_code::wrong_use, "only a rate has a period and a burst", "add --kind rate");
        if (!amount && !burst && per == duration{})
            return p.fail(exit_code::wrong_use, "nothing to set", "give --amount, --per or --burst");
        const auto stored = p.session().limits(queue, {}).value();
        const auto found = std::find_if(stored.begin(), stored.end(), [&](const auto& l) { return same_limit(l, of); });
        if (found == stored.end()) return unknown(p, stored);
        of.limit = found->limit;
        if (amount) of.limit.amount = *amount;
        if (burst) of.limit.burst = *burst;
        if (per > duration{}) of.limit.per = per;
        if (!p.session().change_limit(queue, of).value()) return unknown(p, {});  // removed meanwhile
        p.say("the limit is changed");
        return exit_code::done;
    }

    /// Another limit of the same entrypoint is what the line may have meant.
    exit_code unknown(program& p, const std::vector<lane_limit>& stored) const {
        const auto other = std::find_if(stored.begin(), stored.end(),
                                        [&](const lane_limit& l) { return l.entrypoint == of.entrypoint; });
        if (other != stored.end())
            return p.fail(exit_code::not_met, "the database has no limit of the kind " + kind + " there",
                          "there is one with --kind " + std::string{name_of(other->limit.kind)} + " --number " +
                              std::to_string(other->limit.number));
        return p.fail(exit_code::not_met, "the database has no such limit",
                      '"' + program_name() + " limits\" shows all; a worker whose queue type declares one stores it");
    }

    std::string queue{};
    lane_limit of{};
    std::string kind = "running";
    std::optional<std::int32_t> amount{};
    std::optional<std::int32_t> burst{};
    duration per{};
};

}  // namespace pgq::cli::command
