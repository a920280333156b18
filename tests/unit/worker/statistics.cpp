#include <pgq/protocol/statistics.hpp>
#include <pgq/worker/counter_reports.hpp>
#include <pgq/worker/job_counters.hpp>

#include "core_fixture.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace unit_worker_statistics {

using namespace std::chrono_literals;
using pgq::job_statistics;
using pgq::settle_kind;
using pgq::time_point;
using pgq::detail::counter_reports;
using pgq::detail::job_counters;
using pgq::detail::job_result;

namespace {

constexpr time_point noon{std::chrono::sys_days{std::chrono::year{2026} / 5 / 1} + 12h};
constexpr std::int64_t noon_minute = noon.time_since_epoch() / 1min;

/// What the core has counted: all of it, and of it what was enqueued in the minute of noon.
struct counted {
    job_statistics all{};
    std::int64_t at_noon = 0;
};
counted counted_by(const job_counters& counters) {
    counted c;
    counter_reports reports{counters};
    for (const auto& row : reports.next({1}).rows) {
        c.all += row.what;
        if (row.minute == noon_minute) c.at_noon += row.what.enqueued;
    }
    return c;
}

pgq::claimed_lease lease_at_noon(std::int64_t id, int jobs) {
    auto l = test::core_fixture::lease(id, jobs);
    l.claimed_at = noon + 3s;
    for (auto& j : l.jobs) j.enqueued_at = noon;
    return l;
}

}  // namespace

TEST_CASE("what is done counts when the sync that acknowledges it has succeeded", "[worker][statistics]") {
    test::core_fixture w;
    (void)w.sync({.leases = {lease_at_noon(1, 2)}});
    w.end(w.begin(), {.ran = 5ms});
    w.end(w.begin(), {.ran = 6ms});
    CHECK(counted_by(w.runner.counters).all.run.total() == 0);  // nobody has looked at the ends
    (void)w.refuse();
    auto c = counted_by(w.runner.counters);
    CHECK(c.all.run.total() == 2);
    CHECK(c.all.run.sum == 11ms);
    CHECK(c.all.finished() == 0);
    (void)w.sync();
    c = counted_by(w.runner.counters);
    CHECK(c.all.done == 2);
    CHECK(c.all.finished() == 2);
    CHECK(c.at_noon == 2);
    CHECK(c.all.wait.total() == 2);
    CHECK(c.all.wait.sum == 6s);
    CHECK(c.all.run.total() == 2);
}

TEST_CASE("the jobs of a lease count once each, whether they are acknowledged together or not",
          "[worker][statistics]") {
    const bool together = GENERATE(false, true);
    const std::int16_t attempt = GENERATE(std::int16_t{1}, std::int16_t{2});
    CAPTURE(together, attempt);
    constexpr int jobs = 150;
    test::core_fixture w{{.max_prefetch = jobs}};
    auto lease = lease_at_noon(1, jobs);
    for (auto& j : lease.jobs) j.attempt = attempt;
    for (std::size_t i = 0; i < 50; ++i) lease.jobs[i].enqueued_at = noon - 1min;
    (void)w.sync({.leases = {lease}});
    const int firsts = attempt == 1 ? 1 : 0;
    const auto expect = [&](int done, int retried) {
        const auto c = counted_by(w.runner.counters);
        CHECK(c.all.done == done);
        CHECK(c.all.retried == retried);
        CHECK(c.all.wait.total() == firsts * (done + retried));
        CHECK(c.all.wait.sum == firsts * ((done + retried) * 3s + 50min));
        CHECK(c.at_noon == firsts * (done + retried - 50));
    };
    if (together) {
        for (int i = 0; i < jobs; ++i) w.end(w.begin());
        (void)w.sync();
        return expect(jobs, 0);
    }
    for (int i = 0; i < 70; ++i) w.end(w.begin());
    w.now += 60ms;  // they have waited long enough to be acknowledged without the rest
    (void)w.sync();
    expect(70, 0);
    w.end(w.begin(), {.gone = false, .kind = settle_kind::retry, .delay = 1s, .reason = "why"});
    (void)w.sync();
    expect(70, 1);
    for (int i = 71; i < jobs; ++i) w.end(w.begin());
    (void)w.sync();
    expect(jobs - 1, 1);
}

TEST_CASE("what a crash of the server has undone does not count twice", "[worker][statistics][recovery]") {
    test::core_fixture w;
    auto lease = lease_at_noon(1, 2);
    for (auto& j : lease.jobs) j.attempt = 1;
    (void)w.sync({.leases = {lease}});
    w.end(w.begin(), {.gone = false, .kind = settle_kind::retry, .delay = 1h, .reason = "why"});
    const auto last = w.begin();
    (void)w.sync({.moved = {{.id = 1, .location = 2}}});
    CHECK(counted_by(w.runner.counters).all.retried == 1);
    w.core.leases_changed();
    REQUIRE(w.next().what == pgq::fsm::worker_do::refresh_leases);
    w.core.leases_refreshed(std::vector<pgq::lease_update>{{.ref = {.id = 1, .location = 1}}}, w.now);
    w.end(last);
    (void)w.sync();
    CHECK(w.progressed == std::vector<std::string>{"1 ends: 0rwhy"});
    const auto c = counted_by(w.runner.counters).all;
    CHECK(c.retried == 1);
    CHECK(c.done == 1);
    CHECK(c.wait.total() == 2);
}

TEST_CASE("each outcome counts as what the database makes of it", "[worker][statistics]") {
    test::core_fixture w;
    auto lease = lease_at_noon(1, 6);
    lease.jobs[4].flags = lease.jobs[5].flags = pgq::flag_stop;
    lease.jobs[1].attempt = 3;
    (void)w.sync({.leases = {lease}});
    const settle_kind kinds[] = {settle_kind::done,    settle_kind::retry,   settle_kind::hold,
                                 settle_kind::release, settle_kind::release, settle_kind::retry};
    for (const auto kind : kinds) {
        test::core_fixture::running job;
        if (!w.begin(job)) continue;
        w.end(job, {.gone = kind == settle_kind::done, .kind = kind, .reason = "why"});
    }
    for (int i = 0; i < 3 && w.next().what == pgq::fsm::worker_do::sync; ++i) (void)w.sync();
    const auto c = counted_by(w.runner.counters).all;
    CHECK(c.done == 1);
    CHECK(c.retried == 1);
    CHECK(c.held == 1);
    CHECK(c.cancelled == 2);
    // Neither the third attempt of one job, nor the one that was given back, is a first one.
    CHECK(c.enqueued == 4);
    CHECK(c.wait.total() == 4);
    CHECK(c.run.total() == 0);
}

TEST_CASE("jobs of a lease that is lost, or whose acknowledgement is in doubt, do not count", "[worker][statistics]") {
    test::core_fixture w;
    (void)w.sync({.leases = {lease_at_noon(1, 1)}});
    w.end(w.begin());
    SECTION("the sync reports the lease as lost") {
        (void)w.sync({.lost = {1}});
        w.core.leases_refreshed({}, w.now);
    }
    SECTION("the answer is lost, and the lease is gone") {
        (void)w.lose_answer();
        w.reconnect();
        (void)w.core.leases_compared({}, w.now);
    }
    CHECK(counted_by(w.runner.counters).all.finished() == 0);
}

TEST_CASE("a job that its handler has settled counts by what has become of it", "[worker][statistics]") {
    test::core_fixture w;
    (void)w.sync({.leases = {lease_at_noon(1, 1)}});
    SECTION("it was committed") {
        w.end(w.begin(), {.settled_by_handler = true, .ran = 1ms});
        (void)w.next();
        CHECK(counted_by(w.runner.counters).all.done == 1);
        CHECK(counted_by(w.runner.counters).at_noon == 1);
    }
    SECTION("it was delivered at most once, and failed") {
        w.end(w.begin(), {.settled_by_handler = true, .kind = settle_kind::discard, .ran = 1ms});
        (void)w.next();
        CHECK(counted_by(w.runner.counters).all.discarded == 1);
    }
    SECTION("another worker has it") {
        w.end(w.begin(), {.gone = false, .settled_by_handler = true, .ran = 1ms});
        (void)w.next();
        CHECK(counted_by(w.runner.counters).all.finished() == 0);
        CHECK(counted_by(w.runner.counters).all.run.total() == 1);
    }
}

TEST_CASE("each report has what is new since the one before", "[worker][statistics]") {
    job_counters counters;
    counter_reports reports{counters};
    CHECK(reports.next({1}).empty());
    auto& a = counters.of(0, {10});
    a.done.add(3);
    a.began(noon, noon + 1s, 2);
    auto report = reports.next({1});
    CHECK(report.number == 1);
    REQUIRE(report.rows.size() == 2);
    CHECK(report.rows[0].lane == pgq::lane_id{10});
    CHECK(report.rows[0].minute == 0);
    CHECK(report.rows[0].what.done == 3);
    CHECK(report.rows[0].what.enqueued == 0);
    CHECK(report.rows[1].minute == noon_minute);
    CHECK(report.rows[1].what == job_statistics{.enqueued = 2});
    reports.stored();
    CHECK(reports.next({1}).empty());
    a.began(noon + 59s, noon + 60s, 1);
    counters.of(4, {14}).cancelled.add(1);
    report = reports.next({1});
    CHECK(report.number == 2);
    REQUIRE(report.rows.size() == 3);
    CHECK(report.rows[1].what.enqueued == 1);
    CHECK(report.rows[2].lane == pgq::lane_id{14});
    CHECK(&counters.of(0, {10}) == &a);
}

TEST_CASE("a report whose answer is lost is sent again with its number, and then what has come since",
          "[worker][statistics]") {
    job_counters counters;
    counter_reports reports{counters};
    auto& a = counters.of(0, {10});
    a.done.add(3);
    CHECK(reports.next({1}).number == 1);
    reports.in_doubt();
    a.done.add(4);
    CHECK(reports.next({1}).number == 1);
    CHECK(reports.next({1}).rows[0].what.done == 3);
    SECTION("to the same worker") {
        reports.stored();
        CHECK(reports.next({1}).number == 2);
        CHECK(reports.next({1}).rows[0].what.done == 4);
    }
    SECTION("if the worker has another id since, it may be stored, and is dropped") {
        CHECK(reports.next({2}).number == 2);
        CHECK(reports.next({2}).rows[0].what.done == 4);
    }
}

TEST_CASE("a report that was refused is kept for the next heartbeat, also under another id", "[worker][statistics]") {
    job_counters counters;
    counter_reports reports{counters};
    counters.of(0, {10}).done.add(3);
    CHECK(reports.next({1}).rows.size() == 1);
    CHECK(reports.next({2}).rows.size() == 1);
    reports.stored();
    CHECK(reports.next({2}).empty());
}

TEST_CASE("minutes of enqueues never count twice, however many there are", "[worker][statistics]") {
    job_counters counters;
    counter_reports reports{counters};
    auto& a = counters.of(0, {10});
    std::int64_t true_sum = 0, sum = 0;
    const auto report = [&] {
        for (const auto& row : reports.next({1}).rows) sum += row.what.enqueued;
        reports.stored();
    };
    for (int round = 0; round < 3; ++round) {
        for (int minute = 0; minute < 200; ++minute) {
            const std::uint32_t jobs = static_cast<std::uint32_t>(minute % 5 + round + 1);
            a.began(noon + minute * 1min, noon + 300min, jobs);
            true_sum += jobs;
            if (minute % 7 == 0) report();
        }
    }
    report();
    CHECK(sum == true_sum);  // reports come before a slot is used again
    a.began(noon, noon, 5);
    a.began(noon + 64min, noon + 64min, 2);
    a.began(noon, noon, 3);
    report();
    CHECK(sum == true_sum + 3);
    a.began(time_point{} - 5h, noon, 7);
    report();
    CHECK(sum == true_sum + 3);
}

}  // namespace unit_worker_statistics
