#include <pgq/backoff/none.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/time/manual_clock.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/jobs.hpp"
#include "unit/worker/faulty.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace unit_worker_events {

using namespace std::chrono_literals;
using pgq::errc;
using pgq::lane_counts;
using test::eventually;
using test::fault;
using test::fault_plan;
using test::note;
using test::verb;

namespace {

// Records every event.
class recorder {
public:
    using policy_category = pgq::observer_tag;

    void on(const pgq::event::worker_started& e) { add(e.worker.value != 0 ? "worker started" : "nobody started"); }
    void on(const pgq::event::worker_stopped& e) { add(e.worker.value != 0 ? "worker stopped" : "nobody stopped"); }
    void on(const pgq::event::jobs_claimed& e) { add("claimed " + std::to_string(e.count)); }
    void on(const pgq::event::job_started& e) {
        add("started " + std::string{e.entrypoint} + " attempt " + std::to_string(e.attempt));
    }
    void on(const pgq::event::job_finished& e) {
        add("finished " + std::string{e.entrypoint} + " attempt " + std::to_string(e.attempt) + " as " +
            std::to_string(static_cast<int>(e.what)) + " '" + std::string{e.reason} + "'");
        if (e.run_time < 0s) add("ran backwards");
    }
    void on(const pgq::event::lease_lost& e) { add("lost a lease with " + std::to_string(e.unfinished)); }
    void on(const pgq::event::connection_failed& e) { add("failed: " + e.error.message); }
    void on(const pgq::event::connection_restored&) { add("restored"); }
    void on(const pgq::event::jobs_rescued& e) { add("rescued " + std::to_string(e.returned)); }
    void on(const pgq::event::held_by_rescue& e) {
        add("held " + std::to_string(e.id.value) + ": " + std::string{e.reason});
    }
    void on(const pgq::event::error& e) { add("error: " + e.error.message); }

    std::vector<std::string> all() const {
        const std::lock_guard lock{state_->mutex};
        return state_->lines;
    }
    std::size_t count(const std::string& line) const {
        std::size_t n = 0;
        for (const auto& l : all()) n += l == line ? 1 : 0;
        return n;
    }

private:
    struct state {
        std::mutex mutex;
        std::vector<std::string> lines;
    };
    void add(std::string line) {
        const std::lock_guard lock{state_->mutex};
        state_->lines.push_back(std::move(line));
    }
    std::shared_ptr<state> state_ = std::make_shared<state>();
};

template <class Driver, class Executor>
using recorded_queue = pgq::queue<note, Driver, pgq::serializer::json, pgq::backoff::none, Executor, recorder>;

}  // namespace

TEST_CASE("an observer receives all events, in order", "[worker][observer]") {
    recorded_queue<pgq::driver::memory, pgq::executor::in_place> jobs;
    jobs.enqueue(note{.n = 1}).value();
    test::run_until_empty(jobs, {.max_attempts = 2}, [](const note&) { throw std::runtime_error{"no"}; });
    CHECK(jobs.observer().all() ==
          std::vector<std::string>{"worker started", "claimed 1", "started note attempt 1",
                                   "finished note attempt 1 as 1 'no'", "claimed 1", "started note attempt 2",
                                   "finished note attempt 2 as 4 'attempt 2 of 2 failed: no'", "worker stopped"});
}

TEST_CASE("the event of a finished job has its outcome", "[worker][observer]") {
    recorded_queue<pgq::driver::memory, pgq::executor::in_place> jobs;
    jobs.enqueue(test::notes(5)).value();
    test::run_until_empty(jobs, {}, [](const note& job) -> pgq::outcome {
        switch (job.n) {
        case 0: return pgq::done{};
        case 1: return pgq::retry_after{1h, "later"};
        case 2: return pgq::snooze{1h};
        case 3: return pgq::discard{"unwanted"};
        default: return pgq::hold{"look"};
        }
    });
    for (const auto* line :
         {"finished note attempt 1 as 0 ''", "finished note attempt 1 as 1 'later'", "finished note attempt 1 as 2 ''",
          "finished note attempt 1 as 3 'unwanted'", "finished note attempt 1 as 4 'look'"})
        CHECK(jobs.observer().count(line) == 1);
}

TEST_CASE("an observer receives the loss of a connection and its recovery", "[worker][observer]") {
    using driver = test::faulty<pgq::driver::memory>;
    const fault lost{.error = {errc::connection_lost, "pulled the plug"}};
    const auto plan = std::make_shared<fault_plan>(
        fault_plan::any({fault_plan::at(verb::sync, 2, lost), fault_plan::at(verb::connect, 2, lost)}));
    recorded_queue<driver, pgq::executor::in_place> jobs{driver{{}, plan}};
    jobs.enqueue(test::notes(20)).value();
    test::run_until_empty(jobs, {}, [](const note&) {});
    CHECK(jobs.observer().count("failed: pulled the plug") == 2);
    CHECK(jobs.observer().count("restored") == 1);
    CHECK(jobs.counts<note>().value() == lane_counts{});
}

TEST_CASE("a refused statement is an error event", "[worker][observer]") {
    using driver = test::faulty<pgq::driver::memory>;
    const fault refused{.error = {pgq::make_sqlstate("XX000"), "out of luck"}};
    const auto plan = std::make_shared<fault_plan>(fault_plan::at(verb::sync, 2, refused));
    recorded_queue<driver, pgq::executor::in_place> jobs{driver{{}, plan}};
    jobs.enqueue(test::notes(20)).value();
    test::run_until_empty(jobs, {}, [](const note&) {});
    CHECK(jobs.observer().count("error: out of luck") == 1);
}

TEST_CASE("a worker whose heartbeats fail stops its handlers, registers again and goes on", "[worker][lease]") {
    using driver = test::faulty<pgq::driver::memory>;
    std::atomic<bool> no_heartbeat{true};
    const auto plan = std::make_shared<fault_plan>([&](verb v, std::size_t, const pgq::sync_request*) {
        return v == verb::beat && no_heartbeat ? std::optional{fault{.error = errc::connection_lost}} : std::nullopt;
    });
    recorded_queue<driver, pgq::executor::thread_pool> jobs{driver{{}, plan}, {}, pgq::executor::thread_pool{1}};
    jobs.enqueue(test::notes(2)).value();
    test::gate gate;
    test::run_log run_log;
    std::atomic<int> stopped_handlers{0};
    test::running_worker w{jobs, {.lease_time = 300ms}, [&](const note& job, pgq::context& c) {
                               run_log.add(job.n, c);
                               if (!gate.pass(c)) ++stopped_handlers, no_heartbeat = false, gate.open();
                           }};
    // Its own monitor rescues the jobs of its old registration.
    CHECK(eventually([&] { return run_log.size() == 3 && jobs.counts<note>().value() == lane_counts{}; }));
    w.stop().value();
    CHECK(stopped_handlers == 1);
    CHECK(jobs.observer().count("lost a lease with 1") == 1);
    CHECK(plan->count(verb::register_worker) == 2);
    int second = 0;
    for (const auto& s : run_log.all()) second += s.attempt == 2 ? 1 : 0;
    CHECK(second >= 1);  // the rescue counts an attempt
}

TEST_CASE("a worker that cannot reach the database stops its handlers before its lease ends", "[worker][lease]") {
    using driver = test::faulty<pgq::driver::memory>;
    std::atomic<bool> down{false};
    const auto plan = std::make_shared<fault_plan>([&](verb, std::size_t, const pgq::sync_request*) {
        return down ? std::optional{fault{.error = errc::connection_lost}} : std::nullopt;
    });
    recorded_queue<driver, pgq::executor::thread_pool> jobs{driver{{}, plan}, {}, pgq::executor::thread_pool{1}};
    jobs.enqueue(test::notes(1)).value();
    std::atomic<bool> first{true}, interrupted_while_down{false};
    test::running_worker w{jobs, {.lease_time = 300ms, .poll_interval = 10ms}, [&](const note&, pgq::context& c) {
                               if (!first.exchange(false)) return;
                               down = true;
                               interrupted_while_down =
                                   eventually(10s, [&] { return c.stop_token().stop_requested(); }) && down;
                               down = false;
                           }};
    CHECK(eventually([&] { return interrupted_while_down.load(); }));
    w.stop().value();
    CHECK(jobs.observer().count("lost a lease with 1") == 1);
}

TEST_CASE("a worker that a peer has declared dead can change nothing any more", "[worker][lease]") {
    using driver = test::faulty<pgq::driver::memory>;
    const pgq::driver::memory store;
    std::atomic<bool> no_heartbeat{true};
    const auto plan = std::make_shared<fault_plan>([&](verb v, std::size_t, const pgq::sync_request*) {
        // Its heartbeats fail with an error that does not mean a lost connection.
        return v == verb::beat && no_heartbeat
                   ? std::optional{fault{.error = pgq::error_info{pgq::make_sqlstate("57014")}}}
                   : std::nullopt;
    });
    recorded_queue<driver, pgq::executor::thread_pool> jobs{driver{store, plan}, {}, pgq::executor::thread_pool{1}};
    jobs.enqueue(note{}).value();
    test::gate gate;
    test::running_worker w{jobs, {.lease_time = 1s}, [&](const note&, pgq::context& c) {
                               if (c.attempt() == 1) (void)gate.pass(c);
                           }};
    REQUIRE(eventually([&] { return gate.waiting() == 1; }));
    auto peer = store.connect(pgq::session_role::monitor).value();
    // No heartbeat arrives for a whole lease time: the store takes the worker for dead before the worker notices, or
    // soon after.
    CHECK(eventually([&] { return peer.rescue().value().workers == 1; }));
    no_heartbeat = false;
    gate.open();
    CHECK(eventually([&] { return jobs.counts<note>().value() == lane_counts{}; }));
    w.stop().value();
    CHECK(plan->count(verb::register_worker) == 2);
}

TEST_CASE("a worker that rescues names each job that is held", "[worker][observer]") {
    pgq::manual_clock clock;
    const auto store = pgq::driver::memory::with_clock(clock);
    recorded_queue<pgq::driver::memory, pgq::executor::thread_pool> jobs{store, {}, pgq::executor::thread_pool{1}};
    const auto id = jobs.enqueue(note{}).value();
    auto dead = store.connect(pgq::session_role::worker).value();
    const auto lanes = jobs.lanes().value();
    const pgq::claim_lane lane{.lane = lanes.at(0), .max_attempts = 1};
    pgq::sync_reply reply;
    dead.sync({.worker = dead.register_worker({.host = "gone", .lease_time = 1s, .lanes = lanes}).value(),
               .lanes = {&lane, 1},
               .limit = 1},
              reply)
        .value();
    REQUIRE(reply.claimed() == 1);
    clock.advance(2s);
    test::running_worker w{jobs, {.lease_time = 300ms}, [](const note&) {}};
    const auto named = "held " + std::to_string(id.value) + ": its worker died";
    CHECK(eventually([&] { return jobs.observer().count(named) == 1; }));
    w.stop().value();
}

}  // namespace unit_worker_events
