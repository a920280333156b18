#include "support/catch.hpp"
#include "unit/worker/core_fixture.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace unit_worker_core {

using namespace std::chrono_literals;
using pgq::settle_kind;
using pgq::detail::job_result;
using pgq::fsm::worker_do;
using strings = std::vector<std::string>;
using ids = std::vector<std::int64_t>;
using updates = std::vector<pgq::lease_update>;
using test::core_fixture;

namespace {

const job_result retried{.gone = false, .kind = settle_kind::retry, .delay = 1h, .reason = "later"};

}  // namespace

TEST_CASE("no job begins when the leases count as lost, and those that have not begun go back", "[worker][core]") {
    core_fixture w;
    w.claim({{1, 2}});
    const auto first = w.begin();
    w.runner.leases_end_at = pgq::steady_time{};  // the executor has the real clock
    core_fixture::running second;
    CHECK_FALSE(w.begin(second));
    w.end(first);
    (void)w.sync();
    CHECK(w.progressed == strings{"1 ends: 1s"});
    w.runner.leases_end_at = pgq::steady_time::max();
    w.claim({{2, 1}});
    CHECK(w.begin(second));
}

TEST_CASE("a worker core claims, runs, and acknowledges a lease that is all done", "[worker][core]") {
    core_fixture w;
    const auto sent = w.sync({.leases = {}});
    CHECK(sent.worker == pgq::worker_id{7});
    CHECK(sent.limit == 4);  // two slots, and as many again
    REQUIRE(sent.lanes.size() == 1);
    CHECK(sent.lanes[0].lane == core_fixture::lane);
    w.claim({{1, 2}});
    CHECK(w.executor.tasks->size() == 2);
    w.run(2);
    CHECK(w.woken == 1);  // by the first; it waits for no more
    (void)w.sync();
    CHECK(w.finished == ids{1});
    CHECK(w.progressed.empty());
}

TEST_CASE("what is not plainly done is acknowledged at once, job by job", "[worker][core]") {
    core_fixture w;
    w.claim({{1, 3}});
    w.end(w.begin());
    w.end(w.begin(), retried);
    (void)w.sync();
    CHECK(w.finished.empty());
    CHECK(w.progressed == strings{"1: 1rlater"});
    w.end(w.begin(), {.gone = false, .kind = settle_kind::hold, .reason = "why"});
    (void)w.sync({.moved = {{.id = 1, .location = 9}}});
    CHECK(w.progressed == strings{"1 after 0 1 ends: 2hwhy"});
    CHECK(w.next().what == worker_do::wait);
}

TEST_CASE("a job that has expired before its turn does not begin, and is settled as expired",
          "[worker][core][expiry]") {
    core_fixture w;
    auto l = core_fixture::lease(1, 3);
    // The thread of a handler reads the real clock, which may be far ahead of the time in these tests.
    l.expires_in = {pgq::never_expires, pgq::duration{}, 876'000h};
    for (auto& j : l.jobs) j.flags = pgq::flag_tracked;
    pgq::sync_reply reply;
    reply.leases.push_back(std::move(l));
    (void)w.sync(std::move(reply));
    w.end(w.begin());
    core_fixture::running expired;
    CHECK_FALSE(w.begin(expired));
    w.end(w.begin());
    (void)w.sync();
    CHECK(w.progressed == strings{"1 ends: 1eit expired"});
}

TEST_CASE("a job in quarantine starts alone, after a sync has marked it, and nothing is claimed meanwhile",
          "[worker][core][quarantine]") {
    core_fixture w;
    pgq::sync_reply reply;
    reply.leases.push_back(core_fixture::lease(1, 4));
    for (const int i : {0, 2}) reply.leases[0].jobs[static_cast<std::size_t>(i)].flags = pgq::flag_alone;
    (void)w.sync(std::move(reply));
    CHECK(w.executor.tasks->size() == 2);
    w.end(w.begin());
    CHECK(w.next().what == worker_do::wait);
    w.end(w.begin());
    for (const std::uint32_t index : {0u, 2u}) {
        CAPTURE(index);
        const auto sent = w.sync({.moved = {{.id = 1, .location = 2 + index}}, .begins_alone = true});
        CHECK(sent.limit == 0);
        REQUIRE(sent.begin_alone);
        CHECK(sent.begin_alone->lease == 1);
        CHECK(sent.begin_alone->index == index);
        REQUIRE(w.executor.tasks->size() == 1);
        CHECK(w.next().what == worker_do::wait);
        w.end(w.begin());
    }
    const auto sent = w.sync();
    CHECK_FALSE(sent.begin_alone);
    CHECK(sent.limit > 0);
}

TEST_CASE("a job in quarantine does not start if its lease is lost before it is marked", "[worker][core][quarantine]") {
    core_fixture w;
    pgq::sync_reply reply;
    reply.leases.push_back(core_fixture::lease(1, 1));
    reply.leases[0].jobs[0].flags = pgq::flag_alone;
    (void)w.sync(std::move(reply));
    CHECK(w.sync({.begins_alone = false}).begin_alone);
    REQUIRE(w.next().what == worker_do::refresh_leases);
    w.core.leases_refreshed({}, w.now);
    while (w.next().what == worker_do::run_claimed) (void)w.core.run_claimed();
    core_fixture::running job;
    while (!w.executor.tasks->empty()) CHECK_FALSE(w.begin(job));
    CHECK(w.sync().limit > 0);
}

TEST_CASE("a worker that stops gives back the jobs in quarantine that wait", "[worker][core][quarantine]") {
    core_fixture w;
    pgq::sync_reply reply;
    reply.leases.push_back(core_fixture::lease(1, 2));
    reply.leases[0].jobs[1].flags = pgq::flag_alone;
    (void)w.sync(std::move(reply));
    const auto first = w.begin();
    w.core.stop_requested(w.now);
    w.end(first);
    (void)w.sync();
    CHECK(w.progressed == strings{"1 ends: 1s"});
    while (w.next().what == worker_do::run_claimed) (void)w.core.run_claimed();
    CHECK(w.next().what == worker_do::stop);
}

TEST_CASE("a claim may bring as many bytes as the worker does not hold yet, and as many jobs as fit into the bytes",
          "[worker][core]") {
    constexpr std::size_t mebibyte = 1 << 20;
    const std::string large(6 * mebibyte, 'x');
    core_fixture w;
    pgq::sync_reply reply;
    reply.leases.push_back(core_fixture::lease(1, 1));
    reply.leases[0].jobs[0].body = large;
    reply.cut = true;
    CHECK(w.sync(std::move(reply)).max_bytes == 16 * mebibyte);
    const auto second = w.sync();
    CHECK(second.limit == 1);  // 16 MiB hold two such payloads
    CHECK(second.max_bytes == 10 * mebibyte);
    CHECK_FALSE(second.subscribe_wakes);  // a claim that was cut does not show that there are no more jobs
    w.run(1);
    (void)w.sync();
    CHECK(w.finished == ids{1});
}

TEST_CASE("jobs of one claim start in order over all leases", "[worker][core]") {
    core_fixture w;
    auto a = core_fixture::lease(1, 2), b = core_fixture::lease(2, 1);
    b.jobs[0].rank = pgq::rank::of(5);
    pgq::sync_reply reply;
    reply.leases.push_back(std::move(a));
    reply.leases.push_back(std::move(b));
    (void)w.sync(std::move(reply));
    CHECK(w.begin().slot->lease.ref.id == 2);
    CHECK(w.begin().position == 0);
    CHECK(w.begin().position == 1);
}

TEST_CASE("a job that goes back at once is claimed again behind a cursor before it", "[worker][core]") {
    core_fixture w;
    w.claim({{1, 4}});
    w.end(w.begin());
    w.end(w.begin(), {.gone = false, .kind = settle_kind::release});
    w.run(2);
    const auto sent = w.sync();
    CHECK(w.progressed == strings{"1 ends: 1s"});
    CHECK(sent.lanes[0].cursor.id == pgq::job_id{10});  // before job 11
    CHECK(sent.lanes[0].exact);
}

TEST_CASE("a sync that the server refuses is repeated one settlement at a time, without a claim", "[worker][core]") {
    core_fixture w;
    w.claim({{1, 2}, {2, 1}});
    w.end(w.begin(), retried);
    w.end(w.begin(), {.gone = false, .kind = settle_kind::hold, .reason = "bad"});
    w.end(w.begin(), retried);
    (void)w.refuse();
    CHECK(w.progressed == strings{"1 ends: 0rlater 1hbad", "2 ends: 0rlater"});
    CHECK(w.sync().limit == 0);
    CHECK(w.progressed == strings{"1: 0rlater"});
    (void)w.refuse();
    CHECK(w.progressed == strings{"1 after 0 ends: 1hbad"});
    (void)w.refuse();
    CHECK(w.progressed ==
          strings{"1 after 0 ends: 1hthe outcome could not be stored: " + pgq::make_sqlstate("22021").message()});
    // Not even that: the job stays leased, and the others go on.
    (void)w.sync();
    CHECK(w.progressed == strings{"2 ends: 0rlater"});
    w.claim({{3, 1}});
    w.run(1);
    (void)w.sync();
    CHECK(w.finished == ids{3});
}

TEST_CASE("a sync that failed for a passing reason is repeated as it was", "[worker][core]") {
    core_fixture w;
    w.claim({{1, 1}, {2, 1}});
    w.end(w.begin(), retried);
    w.end(w.begin(), retried);
    (void)w.refuse(pgq::error_info{pgq::make_sqlstate("40P01")});
    (void)w.sync();
    CHECK(w.progressed == strings{"1 ends: 0rlater", "2 ends: 0rlater"});
}

TEST_CASE("a full worker acknowledges at once what is not plainly done, and a plain end together with others",
          "[worker][core]") {
    core_fixture w;
    w.claim({{1, 4}});
    SECTION("a failed attempt") {
        w.end(w.begin(), retried);
        CHECK(w.sync().limit == 0);
        CHECK(w.progressed == strings{"1: 0rlater"});
    }
    SECTION("a plain end") {
        w.end(w.begin());
        const auto a = w.next();
        CHECK(a.what == worker_do::wait);
        CHECK(a.timeout == 50ms);
    }
}

TEST_CASE("a worker wakes up for a job that it has deferred itself", "[worker][core]") {
    core_fixture w;
    w.claim({{1, 4}});
    w.end(w.begin(), {.gone = false, .kind = settle_kind::retry, .delay = 20ms, .reason = "soon"});
    CHECK_FALSE(w.sync().peek_next_due);  // so the database does not say when the job is due
    const auto a = w.next();
    CHECK(a.what == worker_do::wait);
    CHECK(a.timeout == 20ms);
    w.now += 20ms;
    CHECK(w.sync().promote);
}

TEST_CASE("a lease that a sync has not found is looked up, and lost when it is nowhere", "[worker][core]") {
    core_fixture w;
    w.claim({{1, 2}});
    const auto first = w.begin(), second = w.begin();
    w.end(first, retried);
    pgq::sync_reply reply;
    reply.lost = {1};
    (void)w.sync(std::move(reply));
    CHECK_FALSE(second.should_stop());
    CHECK(w.next().what == worker_do::refresh_leases);
    w.core.leases_refreshed({}, w.now);
    CHECK(w.events() == strings{"lost 1 with 1"});
    CHECK(second.should_stop());
    w.end(second);
    (void)w.sync();
    CHECK(w.finished.empty());
    CHECK(w.progressed.empty());
}

TEST_CASE("a lease that has moved is acknowledged where it is now, with its new flags", "[worker][core]") {
    core_fixture w;
    w.claim({{1, 2}});
    w.run(2);
    pgq::sync_reply reply;
    reply.lost = {1};
    (void)w.sync(std::move(reply));
    REQUIRE(w.next().what == worker_do::refresh_leases);
    w.core.leases_refreshed(updates{{.ref = {.id = 1, .location = 5}, .flags = {0, pgq::flag_tracked}}}, w.now);
    const auto sent = w.sync();
    REQUIRE(sent.progressed.size() == 1);
    CHECK(w.progressed == strings{"1 ends:"});
    CHECK(w.events().empty());
}

TEST_CASE("jobs that should stop see their tokens, and those that have not begun go back", "[worker][core]") {
    core_fixture w;
    w.claim({{1, 2}});
    const auto first = w.begin();
    w.core.leases_changed();
    REQUIRE(w.next().what == worker_do::refresh_leases);
    w.core.leases_refreshed(updates{{.ref = {.id = 1, .location = 5}, .flags = {pgq::flag_stop, pgq::flag_stop}}},
                            w.now);
    CHECK(first.should_stop());
    core_fixture::running second;
    CHECK_FALSE(w.begin(second));
    (void)w.sync();
    CHECK(w.progressed == strings{"1: 1s"});
}

TEST_CASE("after reconnecting a worker forgets leases that are gone, and gives unknown ones back", "[worker][core]") {
    core_fixture w;
    w.claim({{1, 2}, {2, 1}, {3, 1}});
    w.run(2);
    const auto gone = w.begin(), mine = w.begin();
    // The sync ends lease 1 and claims lease 4, and the answer is lost. Meanwhile somebody takes lease 2.
    const auto unanswered = w.lose_answer();
    CHECK(unanswered.finished.size() == 1);
    CHECK(unanswered.limit == 2);
    CHECK(w.next().what == worker_do::pause);
    w.reconnect();
    REQUIRE(w.next().what == worker_do::compare_leases);
    CHECK_FALSE(
        w.core.leases_compared(updates{{.ref = {.id = 3, .location = 8}}, {.ref = {.id = 4, .location = 2}}}, w.now));
    CHECK(w.events() == strings{"lost 2 with 1"});  // of lease 1 only the answer was lost
    CHECK(gone.should_stop());
    CHECK_FALSE(mine.should_stop());
    REQUIRE(w.next().what == worker_do::give_back);
    REQUIRE(w.core.to_give_back().size() == 1);
    CHECK(w.core.to_give_back()[0].id == 4);
    CHECK(w.core.gave_back());
    REQUIRE(w.next().what == worker_do::refresh_leases);
    w.core.leases_refreshed(updates{{.ref = {.id = 3, .location = 8}}}, w.now);
    w.end(gone);
    w.end(mine);
    const auto sent = w.sync();
    CHECK(w.finished == ids{3});
    CHECK(sent.finished[0].location == 8);
    CHECK(sent.lanes[0].cursor == pgq::claim_cursor{});  // a new session knows no cursors
}

TEST_CASE("a crash of the server undoes what it had answered, and the worker acknowledges it again",
          "[worker][core][recovery]") {
    core_fixture w;
    w.claim({{1, 4}});
    const auto running = w.begin();
    w.end(w.begin());
    w.end(w.begin(), retried);
    (void)w.sync({.moved = {{.id = 1, .location = 2}}});
    CHECK(w.progressed == strings{"1: 2rlater"});
    w.end(w.begin(), {.gone = false, .kind = settle_kind::hold, .reason = "why"});
    (void)w.sync({.moved = {{.id = 1, .location = 3}}});
    CHECK(w.progressed == strings{"1 after 1 2: 3hwhy"});
    SECTION("nothing is undone") {
        w.now += 4 * w.options.lease_time;
        REQUIRE(w.next().what == worker_do::refresh_leases);
        w.core.leases_refreshed(updates{{.ref = {.id = 1, .location = 3}, .left = "\x0e"}}, w.now);
        w.end(running);
        (void)w.sync();
        CHECK(w.progressed == strings{"1 after 1 2 3 ends:"});
    }
    SECTION("one settlement is undone, and the connection broke") {
        const updates stored{{.ref = {.id = 1, .location = 2}, .left = "\x06"}};
        w.core.broke(1, w.now);
        w.restore(stored);
        (void)w.sync();
        CHECK(w.progressed == strings{"1 after 1 2: 3hwhy"});
    }
    SECTION("all is undone, and a pooler hid the crash") {
        w.now += 4 * w.options.lease_time;
        REQUIRE(w.next().what == worker_do::refresh_leases);
        w.core.leases_refreshed(updates{{.ref = {.id = 1, .location = 1}}, {.ref = {.id = 9, .location = 4}}}, w.now);
        REQUIRE(w.next().what == worker_do::give_back);  // a lease whose end is undone
        CHECK(w.core.to_give_back()[0].id == 9);
        CHECK_FALSE(w.core.gave_back());
        w.end(running);
        (void)w.sync();
        CHECK(w.progressed == strings{"1 ends: 2rlater 3hwhy"});
    }
}

TEST_CASE("a settlement whose answer was lost is not sent again", "[worker][core][recovery]") {
    core_fixture w;
    w.claim({{1, 2}});
    const auto running = w.begin();
    w.end(w.begin(), retried);
    CHECK(w.lose_answer().progressed.size() == 1);
    const updates stored{{.ref = {.id = 1, .location = 2}, .left = "\2"}};
    w.restore(stored);
    CHECK(w.sync().progressed.empty());
    w.end(running);
    (void)w.sync();
    CHECK(w.progressed == strings{"1 after 1 ends:"});
}

TEST_CASE("what ends while an answer is lost is acknowledged, too", "[worker][core][recovery]") {
    core_fixture w;
    w.claim({{1, 3}});
    const auto first = w.begin(), second = w.begin(), third = w.begin();
    w.end(first, retried);
    CHECK(w.lose_answer().progressed.size() == 1);
    w.end(second);
    w.end(third);
    const updates stored{{.ref = {.id = 1, .location = 2}, .left = "\1"}};
    w.restore(stored);
    (void)w.sync();
    CHECK(w.progressed == strings{"1 after 0 ends:"});
}

TEST_CASE("claims of a former session that show later are found and given back", "[worker][core]") {
    core_fixture w;
    (void)w.lose_answer();
    w.restore();
    (void)w.sync();
    (void)w.sync();  // announces its sleep
    const auto waiting = w.next();
    REQUIRE(waiting.what == worker_do::wait);
    w.now += w.options.lease_time;
    REQUIRE(w.next().what == worker_do::refresh_leases);
    w.core.leases_refreshed(updates{{.ref = {.id = 4, .location = 2}}}, w.now);
    REQUIRE(w.next().what == worker_do::give_back);
    CHECK(w.core.to_give_back()[0].id == 4);
    CHECK_FALSE(w.core.gave_back());  // nothing was to be restored
    CHECK(w.next().what != worker_do::give_back);
}

TEST_CASE("a wait ends when it is time to look for late claims", "[worker][core]") {
    core_fixture w{{.lease_time = 1s, .max_prefetch = 4}};
    (void)w.lose_answer();
    w.restore();
    (void)w.sync();
    (void)w.sync();
    w.now += 400ms;
    const auto a = w.next();
    CHECK(a.what == worker_do::wait);
    CHECK(a.timeout == 600ms);
}

TEST_CASE("a worker without a connection pauses until it may connect again", "[worker][core]") {
    core_fixture w;
    w.claim({{1, 1}});
    const auto job = w.begin();
    CHECK(w.core.broke(1, w.now) == 100ms);
    auto a = w.next();
    CHECK(a.what == worker_do::pause);
    CHECK(a.timeout == 100ms);
    w.end(job);  // it cannot be acknowledged now
    a = w.next();
    CHECK(a.what == worker_do::pause);
    w.now += 100ms;
    CHECK(w.next().what == worker_do::connect);
    CHECK(w.core.broke(1, w.now) == 200ms);
    CHECK(w.next().timeout == 200ms);
}

TEST_CASE("a worker that was declared dead loses all leases and registers again", "[worker][core]") {
    core_fixture w;
    w.claim({{1, 2}});
    const auto job = w.begin();
    w.core.declared_dead(w.now);
    CHECK(job.should_stop());
    CHECK(w.events() == strings{"lost 1 with 1"});
    core_fixture::running second;
    CHECK_FALSE(w.begin(second));
    REQUIRE(w.next().what == worker_do::register_worker);
    w.core.registered({8});
    w.end(job);
    const auto sent = w.sync();
    CHECK(sent.worker == pgq::worker_id{8});
    CHECK(w.finished.empty());
}

TEST_CASE("a worker that is declared dead while it has no connection stops its handlers at once", "[worker][core]") {
    core_fixture w;
    w.claim({{1, 1}});
    const auto job = w.begin();
    (void)w.core.broke(1, w.now);
    w.core.declared_dead(w.now);
    CHECK(job.should_stop());
    CHECK(w.next().what == worker_do::pause);
    w.reconnect();
    CHECK(w.next().what == worker_do::register_worker);
    w.core.registered({8});
    CHECK(w.next().what == worker_do::compare_leases);
}

TEST_CASE("a worker told to stop takes back what has not begun, acknowledges the rest and stops", "[worker][core]") {
    core_fixture w;
    w.claim({{1, 1}, {2, 2}});
    const auto job = w.begin();
    w.core.stop_requested(w.now);
    core_fixture::running taken_back;
    CHECK_FALSE(w.begin(taken_back));
    CHECK_FALSE(w.begin(taken_back));
    CHECK(w.sync().limit == 0);
    CHECK(w.progressed == strings{"2 ends: 1s 0s"});
    CHECK(w.next().what == worker_do::wait);
    w.end(job);
    CHECK(w.sync().limit == 0);
    CHECK(w.finished == ids{1});
    CHECK(w.next().what == worker_do::stop);
}

TEST_CASE("handlers that do not end are interrupted after the grace time, and then abandoned", "[worker][core]") {
    core_fixture w{{.grace = 10s, .max_prefetch = 4}};
    w.claim({{1, 1}});
    const auto job = w.begin();
    w.core.stop_requested(w.now);
    CHECK(w.next().what == worker_do::wait);
    w.now += 10s;
    CHECK_FALSE(job.should_stop());
    CHECK(w.next().what == worker_do::wait);
    CHECK(job.should_stop());
    w.now += 1s;
    REQUIRE(w.next().what == worker_do::abandon);
    REQUIRE(w.core.to_give_back().size() == 1);
    CHECK(w.core.to_give_back()[0].id == 1);
    CHECK(w.next().what == worker_do::stop);
    w.end(job);
    (void)w.sync();
    CHECK(w.finished.empty());
    CHECK(w.progressed.empty());
}

TEST_CASE("a worker told to stop that has no connection for the whole grace time stops", "[worker][core]") {
    core_fixture w{{.grace = 10s, .max_prefetch = 4}};
    w.claim({{1, 1}});
    const auto job = w.begin();
    (void)w.core.broke(1, w.now);
    w.end(job, retried);
    w.core.stop_requested(w.now);
    for (int i = 0; i < 11; ++i) {  // the grace time, and a second
        const auto a = w.next();
        CHECK((a.what == worker_do::pause || a.what == worker_do::connect));
        if (a.what == worker_do::connect) (void)w.core.broke(1, w.now);
        w.now += 1s;
    }
    w.now += 1ms;
    CHECK(w.next().what == worker_do::stop);
}

TEST_CASE("jobs that wait behind slow ones are given back", "[worker][core]") {
    core_fixture w;
    w.claim({{1, 4}});
    const auto first = w.begin(), second = w.begin();
    w.now += 10s;
    (void)w.sync();
    CHECK(w.progressed == strings{"1: 3s 2s"});
    core_fixture::running third;
    CHECK_FALSE(w.begin(third));
    w.end(first);
    w.end(second);
    (void)w.sync();
    CHECK(w.progressed == strings{"1 after 2 3 ends:"});
}

}  // namespace unit_worker_core
