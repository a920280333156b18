#pragma once

#include <pgq/concept/executor.hpp>
#include <pgq/error/error_info.hpp>
#include <pgq/event/events.hpp>
#include <pgq/limiter/none.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/worker/job_runner.hpp>
#include <pgq/worker/worker_core.hpp>
#include <pgq/worker/worker_registration.hpp>

#include "support/catch.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace test {

/// Keeps tasks until the test runs them: a job that has not begun, or runs for as long as the test wants.
struct manual_executor {
    using policy_category = pgq::executor_tag;

    std::size_t width() const noexcept { return 2; }
    void start() {}
    void execute(const pgq::task& t) { tasks->push_back(t); }
    void stop() noexcept {
        for (; !tasks->empty(); tasks->pop_front()) tasks->front().run();
    }

    std::shared_ptr<std::deque<pgq::task>> tasks = std::make_shared<std::deque<pgq::task>>();
};

/// Records events as text.
struct recording_observer {
    using policy_category = pgq::observer_tag;

    void on(const pgq::event::lease_lost& e) {
        events->push_back("lost " + std::to_string(e.lease) + " with " + std::to_string(e.unfinished));
    }
    void on(const pgq::event::connection_failed& e) { events->push_back("failed: " + e.error.message); }
    void on(const pgq::event::connection_restored&) { events->push_back("restored"); }
    void on(const pgq::event::error& e) { events->push_back("error: " + e.error.message); }
    void on(const pgq::event::database_problem_found& e) {
        events->push_back("problem " + std::string{e.problem} + ": " + std::string{e.message} + "; " +
                          std::string{e.remedy});
    }
    void on(const pgq::event::held_by_rescue& e) {
        events->push_back("held " + std::to_string(e.id.value) + ": " + std::string{e.reason});
    }

    std::shared_ptr<std::vector<std::string>> events = std::make_shared<std::vector<std::string>>();
};

/// A worker core with two slots, one lane and no thread. Jobs begin when the test begins them and end when it ends
/// them; time is a value.
class core_fixture {
public:
    using runner_type = pgq::detail::job_runner<manual_executor, recording_observer>;
    using core_type = pgq::detail::worker_core<manual_executor, recording_observer>;

    static constexpr pgq::lane_id lane{3};

    explicit core_fixture(pgq::worker_options o = {.max_prefetch = 4}) : options{o} {
        pgq::detail::limiter_set limiters;
        limiters.add("note", pgq::limiter::none{});
        const std::array lanes{pgq::detail::served_lane{.lane = lane, .entrypoint = "note"}};
        core.serve(lanes, o.max_attempts, std::move(limiters), {});
        core.registered({7});
    }

    /// A job that a handler has begun.
    struct running {
        pgq::detail::held_lease* slot = nullptr;
        std::uint32_t position = 0;

        bool should_stop() const { return slot->stop_token(position).stop_requested(); }
    };

    pgq::fsm::worker_action next() { return core.next(now); }

    /// The core wants a sync, and it succeeds. Returns what was sent.
    pgq::sync_request sync(pgq::sync_reply reply = {}) {
        const auto a = next();
        REQUIRE(a.what == pgq::fsm::worker_do::sync);
        const auto sent = core.request(a, now);
        keep(sent);
        core.synced(a, reply, now);
        return sent;
    }
    /// The core wants a sync, and the server refuses it.
    pgq::sync_request refuse(pgq::error_info why = pgq::error_info{pgq::make_sqlstate("22021")}) {
        const auto a = next();
        REQUIRE(a.what == pgq::fsm::worker_do::sync);
        const auto sent = core.request(a, now);
        keep(sent);
        core.refused(a, why, now);
        now += std::chrono::seconds{5};
        return sent;
    }
    /// The core wants a sync, and its answer is lost with the connection.
    pgq::sync_request lose_answer() {
        const auto a = next();
        REQUIRE(a.what == pgq::fsm::worker_do::sync);
        const auto sent = core.request(a, now);
        (void)core.broke(1, now);
        return sent;
    }

    /// A claim brings these leases, each with so many jobs.
    void claim(std::vector<std::pair<std::int64_t, int>> leases) {
        pgq::sync_reply reply;
        for (const auto& [id, jobs] : leases) reply.leases.push_back(lease(id, jobs));
        REQUIRE(sync(std::move(reply)).limit > 0);
    }
    static pgq::claimed_lease lease(std::int64_t id, int jobs) {
        pgq::claimed_lease l{.ref = {.id = id, .location = 1}, .lane = lane};
        for (int i = 0; i < jobs; ++i)
            l.jobs.push_back({.id = {id * 10 + i}, .rank = pgq::rank::of(0), .index = static_cast<std::uint32_t>(i)});
        return l;
    }

    /// The handler of the job that is first in line begins; false when that was taken back.
    bool begin(running& job) {
        const auto t = executor.tasks->front();
        executor.tasks->pop_front();
        begun_ = {};
        t.run();
        job = begun_;
        return job.slot != nullptr;
    }
    running begin() {
        running job;
        REQUIRE(begin(job));
        return job;
    }
    void end(const running& job, pgq::detail::job_result what = {}) {
        if (runner.completions.put(job.slot, job.position, std::move(what), now)) ++woken;
    }
    /// So many jobs begin and are done.
    void run(int count) {
        for (int i = 0; i < count; ++i) end(begin());
    }

    /// Reconnects, up to the step that compares the leases.
    void reconnect() {
        now += std::chrono::seconds{10};
        REQUIRE(next().what == pgq::fsm::worker_do::connect);
        core.connected();
    }

    /// Reconnects, and the database has these leases, all of which the core knows.
    void restore(const std::vector<pgq::lease_update>& stored = {}) {
        reconnect();
        REQUIRE(next().what == pgq::fsm::worker_do::compare_leases);
        CHECK(core.leases_compared(stored, now));
        core.leases_refreshed(stored, now);
    }

    const std::vector<std::string>& events() const { return *observer.events; }
    /// The latest sync: ids of leases that ended, and what it said of the others.
    std::vector<std::int64_t> finished;
    std::vector<std::string> progressed;

    pgq::worker_options options;
    manual_executor executor;
    recording_observer observer;
    int woken = 0;  ///< how often the end of a job has woken the worker
    std::array<runner_type::job_functions, 1> functions{{{.run = &begin_handler}}};
    runner_type runner{functions.data(), this, executor, observer, options, [] {}};
    core_type core{runner, pgq::detail::machine_options(options, executor.width(), false)};
    pgq::steady_time now{std::chrono::hours{1}};

private:
    static void begin_handler(runner_type& r, pgq::detail::held_lease& slot, std::uint32_t position) noexcept {
        static_cast<core_fixture*>(r.code())->begun_ = {&slot, position};
    }
    void keep(const pgq::sync_request& r) {
        finished.clear();
        progressed.clear();
        for (const auto& f : r.finished) finished.push_back(f.id);
        for (const auto& p : r.progressed) {
            std::string text = std::to_string(p.ref.id) + (p.left.empty() ? "" : " after");
            for (std::uint32_t i = 0; i < 8 * p.left.size(); ++i)
                if (pgq::detail::held_lease::is_set(std::string{p.left}, i)) text += " " + std::to_string(i);
            text += p.last ? " ends:" : ":";
            for (const auto& i : p.items)
                text += " " + std::to_string(i.index) + static_cast<char>(i.kind) + std::string{i.reason};
            progressed.push_back(text);
        }
    }

    running begun_{};
};

}  // namespace test
