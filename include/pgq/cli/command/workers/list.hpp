#pragma once

#include <pgq/cli/command/part/page.hpp>
#include <pgq/cli/command/part/watch.hpp>
#include <pgq/cli/database/lane_names.hpp>
#include <pgq/cli/database/server_time.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/job/id.hpp>
#include <pgq/protocol/listing.hpp>
#include <pgq/time/clock.hpp>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace pgq::cli::command::workers {

struct list {
    static constexpr const char* name = "workers";
    static constexpr const char* what = "Show the registered workers: whether they live, what they run and serve";

    void declare(CLI::App& a) {
        a.add_option("--after", after, "Only workers with a higher id: the next page")
            ->check(CLI::Range(0, std::numeric_limits<std::int32_t>::max()))
            ->transform(decimal())
            ->type_name("ID");
        a.add_option("--limit", most, "At most so many (1000)")
            ->check(CLI::Range(1, 1000))
            ->transform(decimal())
            ->type_name("N");
        again.declare(a);
    }

    exit_code run(program& p) {
        std::vector<listed_worker> found;
        const auto done = again.show(p, [&] {
            found = p.ops().workers({after}, most).value();
            return listing(p, found);
        });
        if (static_cast<std::int64_t>(found.size()) == most) say_next_page(found.back().id.value, false);
        return done;
    }

    static table listing(program& p, const std::vector<listed_worker>& all) {
        table t{{{"id", kind::number},
                 {"host"},
                 {"pid", kind::number},
                 {"version"},
                 {"alive", kind::truth},
                 {"running", kind::number},
                 {"heartbeat_age", kind::span},
                 {"lease_time", kind::span},
                 {"started_at", kind::time},
                 {"serves"}}};
        lane_names lanes{p};
        const time_point now = read_server_time(p);
        for (const listed_worker& w : all)
            t.add({std::int64_t{w.id.value}, w.host, std::int64_t{w.pid}, w.version, w.alive, w.running,
                   duration{std::max(now - w.heartbeat_at, std::chrono::microseconds{})}, w.lease_time, w.started_at,
                   served(w, lanes, p.writes_for_people() ? 5 : std::numeric_limits<std::size_t>::max())});
        return t;
    }

private:
    /// "mail/send, mail/report", or of a worker with many queue names "mail_*: send, report".
    static std::string served(const listed_worker& w, lane_names& lanes, std::size_t most) {
        std::vector<std::string> names, queues = w.queues;
        for (const lane_id id : w.lanes) names.push_back(lanes.text(id));
        if (!w.prefix) return joined(std::move(names), most);
        if (queues.empty()) queues.push_back(*w.prefix + '*');
        return joined(std::move(queues), most) + ": " + joined(w.entrypoints, most);
    }
    /// Each once, in the order of their names; behind `most` only how many there are.
    static std::string joined(std::vector<std::string> names, std::size_t most) {
        std::sort(names.begin(), names.end());
        names.erase(std::unique(names.begin(), names.end()), names.end());
        std::string text;
        for (std::size_t i = 0; i < std::min(names.size(), most); ++i) text += (i == 0 ? "" : ", ") + names[i];
        if (names.size() > most) text += " and " + std::to_string(names.size() - most) + " more";
        return text;
    }

public:
    std::int32_t after = 0;
    std::int64_t most = 1000;
    watch again{};
};

}  // namespace pgq::cli::command::workers
