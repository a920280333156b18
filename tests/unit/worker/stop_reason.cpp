#include <pgq/driver/memory.hpp>
#include <pgq/executor/timeout.hpp>
#include <pgq/job/stop_reason.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/scheduler.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>
#include <pgq/worker/held_lease.hpp>

#include <support/catch.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace unit_worker_stop_reason {

using namespace std::chrono_literals;
using pgq::stop_reason;
using test::eventually;
using test::note;

namespace {

template <class... Policies>
using note_queue = pgq::queue<note, pgq::driver::memory, pgq::serializer::json, pgq::backoff::none, Policies...>;

/// A handler that works until it should stop. It keeps the reason, and ends as the guide says.
class until_stopped {
public:
    void operator()(const note&, const pgq::context& c) {
        if (c.stop_reason() != stop_reason::none) early_ = true;
        ++running_;
        (void)eventually([&] { return c.stop_token().stop_requested(); });
        why_ = c.stop_reason();
        --running_;
        c.throw_if_stopping();
    }
    bool runs() const { return running_ == 1; }
    bool was_early() const { return early_; }
    stop_reason why() const { return why_; }

private:
    std::atomic<int> running_{0};
    std::atomic<bool> early_{false};
    std::atomic<stop_reason> why_{stop_reason::none};
};

template <class Queue>
std::int16_t attempt_of_the_next_run(Queue& jobs) {
    std::atomic<std::int16_t> attempt{0};
    test::run_until_empty(jobs, {}, [&](const note&, const pgq::context& c) { attempt = c.attempt(); });
    return attempt;
}

}  // namespace

TEST_CASE("a handler that ends itself at shutdown puts its job back, and the attempt does not count",
          "[worker][stop][context]") {
    note_queue<> jobs;
    (void)jobs.enqueue(note{}).value();
    until_stopped handler;
    test::running_worker w{jobs, {.max_attempts = 1, .grace = 1ms}, std::ref(handler)};
    REQUIRE(eventually([&] { return handler.runs(); }));
    w.stop().value();
    CHECK(handler.why() == stop_reason::shutdown);
    CHECK_FALSE(handler.was_early());
    CHECK(jobs.counts<note>().value() == pgq::lane_counts{.ready = 1});
    CHECK(attempt_of_the_next_run(jobs) == 1);
}

TEST_CASE("a handler that ends itself because its job was cancelled ends it as cancelled", "[worker][stop][context]") {
    note_queue<> jobs;
    const auto h = jobs.enqueue(note{}, {.keep_outcome = 1min}).value();
    until_stopped handler;
    test::running_worker w{jobs, {}, std::ref(handler)};
    REQUIRE(eventually([&] { return handler.runs(); }));
    CHECK(h.cancel().value().stopping == 1);
    CHECK(h.wait(test::test_timeout).value().kind == pgq::end_kind::cancelled);
    CHECK(handler.why() == stop_reason::cancelled);
}

TEST_CASE("a handler whose job is cancelled by the next tick of its schedule learns that, and ends it as cancelled",
          "[worker][stop][context][schedule]") {
    note_queue<> jobs;
    pgq::scheduler s{jobs};
    s.every("@yearly", note{}, {.overlap = pgq::overlap::cancel_running, .job = {.keep_outcome = 1min}}).value();
    s.declare().value();
    const auto first = s.fire_now("note").value();
    REQUIRE(first);
    until_stopped handler;
    test::running_worker w{jobs, {.grace = 1ms}, std::ref(handler)};
    REQUIRE(eventually([&] { return handler.runs(); }));
    REQUIRE(s.fire_now("note").value());
    const auto end = jobs.wait_for(*first, test::test_timeout).value();
    CHECK(end.kind == pgq::end_kind::cancelled);
    CHECK(end.reason == "the next tick of the schedule cancelled the job");
    CHECK(handler.why() == stop_reason::schedule_overlap);
    REQUIRE(eventually([&] { return handler.runs(); }));
}

TEST_CASE("the first reason to stop a job stays, and the next lease forgets it", "[worker][stop]") {
    const auto lease_of_two = [] {
        pgq::claimed_lease l;
        l.jobs.resize(2);
        l.jobs[1].index = 1;
        return l;
    };
    pgq::detail::held_lease s;
    s.open(lease_of_two(), 0, 0, {});
    CHECK(s.why_stopped(0) == stop_reason::none);
    s.cancel(0, stop_reason::schedule_overlap);
    CHECK(s.stop_token(0).stop_requested());
    CHECK(s.why_stopped(0) == stop_reason::schedule_overlap);
    CHECK_FALSE(s.stop_token(1).stop_requested());
    CHECK(s.why_stopped(1) == stop_reason::none);
    s.stop_all(stop_reason::shutdown);
    CHECK(s.why_stopped(0) == stop_reason::schedule_overlap);
    CHECK(s.why_stopped(1) == stop_reason::shutdown);
    s.cancel(1, stop_reason::schedule_overlap);
    CHECK(s.why_stopped(1) == stop_reason::shutdown);
    s.open(lease_of_two(), 0, 0, {});
    CHECK(s.why_stopped(0) == stop_reason::none);
    s.cancel(0, stop_reason::cancelled);
    CHECK(s.why_stopped(0) == stop_reason::cancelled);
}

TEST_CASE("a handler that ends itself at its time limit has failed this attempt", "[worker][stop][context]") {
    note_queue<pgq::executor::timeout<1ms>> jobs;
    const auto h = jobs.enqueue(note{}, {.keep_outcome = 1min}).value();
    until_stopped handler;
    test::running_worker w{jobs, {.max_attempts = 1}, std::ref(handler)};
    const auto end = h.wait(test::test_timeout).value();
    CHECK(end.kind == pgq::end_kind::held);
    CHECK(handler.why() == stop_reason::timeout);
}

TEST_CASE("a handler with a time limit learns of a cancel as well", "[worker][stop][context]") {
    note_queue<pgq::executor::timeout<1h>> jobs;
    const auto h = jobs.enqueue(note{}, {.keep_outcome = 1min}).value();
    until_stopped handler;
    test::running_worker w{jobs, {}, std::ref(handler)};
    REQUIRE(eventually([&] { return handler.runs(); }));
    CHECK(h.cancel().value().stopping == 1);
    CHECK(h.wait(test::test_timeout).value().kind == pgq::end_kind::cancelled);
    CHECK(handler.why() == stop_reason::cancelled);
}

TEST_CASE("a handler whose worker was declared dead learns that its lease is lost", "[worker][stop][context]") {
    const pgq::driver::memory driver;
    note_queue<test::event_counts> jobs{driver};
    (void)jobs.enqueue(note{}).value();
    until_stopped handler;
    test::running_worker w{jobs, {.lease_time = 1s, .grace = 1ms}, std::ref(handler)};
    REQUIRE(eventually([&] { return handler.runs(); }));
    auto other = driver.connect(pgq::session_role::client).value();
    for (int id = 1; id < 10; ++id) other.retire({id}).value();
    CHECK(eventually([&] { return handler.why() == stop_reason::lease_lost; }));
    // The job is back, and this worker runs it again after it has registered again.
    CHECK(eventually([&] { return handler.runs(); }));
    CHECK(jobs.observer()->lost >= 1);
}

TEST_CASE("a batch handler that ends itself at shutdown puts all its jobs back", "[worker][stop][context]") {
    note_queue<> jobs;
    (void)jobs.enqueue(test::notes(3)).value();
    std::atomic<int> size{0};
    std::atomic<stop_reason> why{stop_reason::none};
    const auto handler = [&](std::span<const note> all, const pgq::batch_context& c) {
        size = static_cast<int>(all.size());
        (void)eventually([&] { return c.stop_token().stop_requested(); });
        why = c.stop_reason();
        c.throw_if_stopping();
    };
    test::running_worker w{jobs, {.max_attempts = 1, .grace = 1ms}, handler};
    REQUIRE(eventually([&] { return size == 3; }));
    w.stop().value();
    CHECK(why == stop_reason::shutdown);
    CHECK(jobs.counts<note>().value() == pgq::lane_counts{.ready = 3});
    CHECK(attempt_of_the_next_run(jobs) == 1);
}

TEST_CASE("a job that its handler releases without being asked comes back after a second, its attempt not counted",
          "[worker][stop]") {
    note_queue<> jobs;
    (void)jobs.enqueue(note{}).value();
    std::mutex mutex;
    std::vector<std::int16_t> attempts;
    std::vector<std::chrono::steady_clock::time_point> times;
    const auto handler = [&](const note&, const pgq::context& c) -> pgq::outcome {
        const std::lock_guard lock{mutex};
        attempts.push_back(c.attempt());
        times.push_back(std::chrono::steady_clock::now());
        if (attempts.size() == 1) return pgq::release{};
        return pgq::done{};
    };
    test::run_until_empty(jobs, {.max_attempts = 1, .until = pgq::run_until::drained}, handler);
    CHECK(attempts == std::vector<std::int16_t>{1, 1});
    CHECK(times.at(1) - times.at(0) >= 900ms);
}

TEST_CASE("a context made by hand says that something stops the handler, not what", "[context]") {
    const pgq::job_record record;
    const pgq::resources nothing;
    std::stop_source stop;
    const pgq::context c{record, stop.get_token(), nothing};
    CHECK(c.stop_reason() == stop_reason::none);
    CHECK_NOTHROW(c.throw_if_stopping());
    stop.request_stop();
    CHECK(c.stop_reason() == stop_reason::other);
    CHECK_THROWS_AS(c.throw_if_stopping(), pgq::stopping);
}

TEST_CASE("the names of the reasons are stable", "[context]") {
    CHECK(name_of(stop_reason::none) == "none");
    CHECK(name_of(stop_reason::cancelled) == "cancelled");
    CHECK(name_of(stop_reason::shutdown) == "shutdown");
    CHECK(name_of(stop_reason::timeout) == "timeout");
    CHECK(name_of(stop_reason::lease_lost) == "lease_lost");
    CHECK(name_of(stop_reason::schedule_overlap) == "schedule_overlap");
    CHECK(name_of(stop_reason::other) == "other");
    CHECK(std::string{pgq::stopping{stop_reason::cancelled}.what()} == "the job was cancelled");
}

}  // namespace unit_worker_stop_reason
