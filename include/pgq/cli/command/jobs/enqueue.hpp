#pragma once

#include <pgq/cli/command/part/known_names.hpp>
#include <pgq/cli/database/target_lanes.hpp>
#include <pgq/cli/output/payload_text.hpp>
#include <pgq/cli/payload/standard_input.hpp>
#include <pgq/cli/program.hpp>
#include <pgq/cli/tree/option_kinds.hpp>

#include <pgq/job/header.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/protocol/bodies.hpp>
#include <pgq/protocol/enqueue.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/time/clock.hpp>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgq::cli::command::jobs {

/// Ends with 1 if there is no such lane.
struct enqueue {
    static constexpr const char* name = "enqueue";
    static constexpr const char* what = "Put a job into a lane that exists, with a payload as its serializer writes it";

    void declare(CLI::App& a) {
        a.add_option("QUEUE", queue, "The name of its queue")->type_name("NAME")->required();
        a.add_option("ENTRYPOINT", entrypoint, "Its entrypoint")->type_name("NAME")->required();
        a.add_option("PAYLOAD", payload, "JSON; a hyphen: what stdin has")->type_name("JSON")->required();
        a.add_flag("--raw", raw, "The payload need not be JSON");
        a.add_option("--payload-version", version, "Its version, if the lane has several (the newest)")
            ->type_name("TEXT");
        a.add_option("--priority", priority, "Higher runs first (0)")
            ->check(CLI::Range(-32768, 32767))
            ->transform(decimal())
            ->type_name("N");
        add_duration(a, "--delay", delay, "Do not start before this time is over");
        add_headers(a, headers, "A header of the job; several: one option for each");
        a.add_option("--key", key, "Its key for keyed limits")->type_name("TEXT");
    }

    exit_code run(program& p) {
        if (payload == "-") payload = read_standard_input().value();
        if (!raw && !is_json(payload))
            return p.fail(exit_code::wrong_use, "the payload is not JSON", "quote it for the shell, or say --raw");
        const auto lanes = read_target_lanes(p, queue, entrypoint);
        const std::string names = names_text(queue, entrypoint);
        if (lanes.empty())
            return p.fail(exit_code::not_met, "there is no " + names, "a program makes it with its first job");
        const auto lane = std::find_if(lanes.begin(), lanes.end(),
                                       [&](const target_lane& l) { return !version || l.version == *version; });
        if (lane == lanes.end())
            return p.fail(exit_code::not_met, names + " has no payload version " + statement::quoted(*version),
                          "it has " + versions_text(lanes));
        p.say("job " + std::to_string(put(p, lane->id).value) + " is enqueued");
        return exit_code::done;
    }

private:
    job_id put(program& p, lane_id lane) const {
        std::vector<header> views;
        for (const owned_header& h : headers) views.push_back({.name = h.name, .value = h.value});
        check_headers(views).value();
        const enqueue_options options{
            .priority = priority, .run_at = delay > duration{} ? in(delay) : when{}, .headers = views};
        const bodies one = bodies_of(payload);
        const bodies its_key = key ? bodies_of(*key) : bodies{};
        std::vector<job_id> ids;
        p.session()
            .enqueue({.lane = lane, .bodies = &one, .options = {&options, 1}, .keys = key ? &its_key : nullptr}, ids)
            .value();
        return ids.at(0);
    }
    static bodies bodies_of(const std::string& text) {
        bodies one;
        one.bytes() = text;
        one.close();
        return one;
    }

public:
    std::string queue{};
    std::string entrypoint{};
    std::string payload{};
    bool raw = false;
    std::optional<std::string> version{};
    int priority = 0;
    duration delay{};
    std::vector<owned_header> headers{};
    std::optional<std::string> key{};
};

}  // namespace pgq::cli::command::jobs
