#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <chrono>
#include <cstdint>
#include <future>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace scenarios_completion {

using namespace std::chrono_literals;
using pgq::end_kind;
using test::database;
using test::note;
using steady = std::chrono::steady_clock;

namespace completion {

struct share {
    std::int64_t whole = 0;
    std::string text{};
};
struct division {
    static constexpr std::string_view entrypoint = "division";
    using result = share;
    std::int64_t a = 0;
    std::int64_t b = 1;
};

}  // namespace completion

}  // namespace scenarios_completion

BOOST_HANA_ADAPT_STRUCT(scenarios_completion::completion::share, whole, text);
BOOST_HANA_ADAPT_STRUCT(scenarios_completion::completion::division, a, b);

namespace scenarios_completion {

namespace {

using completion::division;
using completion::share;
using queue = pgq::queue<division, note, pgq::driver::libpq, pgq::serializer::json>;

const auto divide = [](const division& d) {
    if (d.b == 0) throw std::domain_error{"by zero"};
    return share{.whole = d.a / d.b, .text = "ä \" ' \\ of " + std::to_string(d.a)};
};
const auto take_note = [](const note&) {};

}  // namespace

TEST_CASE("a wait on a handle ends after the worker's acknowledgement, and returns the result",
          "[scenario][pgjobq15][undisturbed]") {
    const database db;
    queue jobs{db.driver()};
    test::running_worker w{jobs, {}, divide, take_note};
    const auto h = jobs.enqueue(division{.a = 42, .b = 5}).value();
    const auto got = h.get(test::test_timeout).value();
    CHECK(got.whole == 8);
    CHECK(got.text == "ä \" ' \\ of 42");
    CHECK(h.wait(0s).value().kind == end_kind::done);  // the result can be read many times
    CHECK(db.is_empty());
}

TEST_CASE("any process that knows the id can wait for a job that has already finished", "[scenario][pgq50]") {
    const database db;
    queue jobs{db.driver()};
    const auto h = jobs.enqueue(division{.a = 9, .b = 3}).value();
    test::run_until_empty(jobs, {}, divide, take_note);
    CHECK(h.get(0s).value().whole == 3);
    queue elsewhere{db.driver()};
    CHECK(elsewhere.find<division>(h.id()).get(0s).value().whole == 3);
    CHECK(elsewhere.wait_for(h, 0s).value().attempts == 1);
}

TEST_CASE("a wait for a batch ends after its last job, and returns the ends in the order of the batch",
          "[scenario][pgjobq16][undisturbed]") {
    const database db;
    queue jobs{db.driver()};
    std::vector<division> many;
    for (std::int64_t i = 1; i <= 300; ++i) many.push_back({.a = 1000, .b = i});
    const auto all = jobs.enqueue(many).value();
    REQUIRE(all.wait_all(50ms).error() == pgq::errc::timeout);
    test::running_worker w{jobs, {}, divide, take_note};
    const auto ends = all.wait_all(test::test_timeout).value();
    REQUIRE(ends.size() == 300);
    for (std::size_t i = 0; i < ends.size(); ++i) {
        CHECK(ends[i].id == all[i]);
        CHECK(ends[i].kind == end_kind::done);
    }
    CHECK(all(99).get(0s).value().whole == 10);
}

TEST_CASE("a failed first attempt ends no wait; the second attempt ends it once", "[scenario][pgjobq17]") {
    const database db;
    queue jobs{db.driver()};
    test::gate second;
    const auto handler = [&](const note&, pgq::context& c) -> pgq::outcome {
        if (c.attempt() == 1) return pgq::retry_after{0s, "not yet"};
        (void)second.pass(c);
        return pgq::done{};
    };
    test::running_worker w{jobs, {}, divide, handler};
    const auto h = jobs.enqueue(note{}, {.keep_outcome = 1min}).value();
    REQUIRE(test::eventually([&] { return second.waiting() == 1; }));
    CHECK(h.wait(100ms).error() == pgq::errc::timeout);
    second.open();
    const auto end = h.wait(test::test_timeout).value();
    CHECK(end.kind == end_kind::done);
    CHECK(end.attempts == 2);
}

TEST_CASE("a wait returns the kind of end: done, discarded, held, cancelled or expired", "[scenario][pgq50]") {
    const database db;
    queue jobs{db.driver()};
    const auto handler = [&](const note& n) -> pgq::outcome {
        if (n.text == "discard") return pgq::discard{"nobody wants it"};
        if (n.text == "hold") return pgq::hold{"look at this"};
        if (n.text == "throw") throw std::runtime_error{"broken"};
        return pgq::done{};
    };
    const auto put = [&](std::string text) { return jobs.enqueue(note{.text = std::move(text)}).value(); };
    const auto done = put("fine"), discarded = put("discard"), held = put("hold"), thrown = put("throw");
    const auto cancelled = jobs.enqueue(note{}, {.run_at = pgq::in(1h)}).value();
    const auto expired = jobs.enqueue(note{}, {.run_at = pgq::in(1h), .expires_at = pgq::in(300ms)}).value();
    const std::vector<pgq::job_id> ids{done, discarded, held, thrown, cancelled, expired};
    auto ends = std::async(std::launch::async, [&] { return jobs.wait_for(ids, test::test_timeout).value(); });
    // A job that is not tracked becomes tracked when somebody waits for it.
    REQUIRE(test::eventually([&] { return db.rows("tracked") == 6; }));
    test::running_worker w{jobs, {.max_attempts = 1}, divide, handler};
    REQUIRE(cancelled.cancel().value().removed == 1);
    const auto reported = ends.get();
    CHECK(reported[0].kind == end_kind::done);
    CHECK(reported[1].kind == end_kind::discarded);
    CHECK(reported[1].reason == "nobody wants it");
    CHECK(reported[2].kind == end_kind::held);
    CHECK(reported[2].reason == "look at this");
    CHECK(reported[3].kind == end_kind::held);
    CHECK(reported[3].reason.find("broken") != std::string::npos);
    CHECK(reported[4].kind == end_kind::cancelled);
    CHECK(reported[5].kind == end_kind::expired);
    CHECK(db.rows("tracked") == 2);  // only held jobs
}

TEST_CASE("get() of a job that is not done reports how it ended and why", "[scenario]") {
    const database db;
    queue jobs{db.driver()};
    const auto h = jobs.enqueue(division{.a = 1, .b = 0}).value();
    test::run_until_empty(jobs, {.max_attempts = 1}, divide, take_note);
    const auto got = h.get(0s);
    REQUIRE(got.error() == pgq::errc::job_not_done);
    CHECK(got.error().message.find("held") != std::string::npos);
    CHECK(got.error().message.find("by zero") != std::string::npos);
    const auto gone = jobs.find<division>({123456789}).get(0s);
    REQUIRE(gone.error() == pgq::errc::job_not_done);
    CHECK(jobs.wait_for(pgq::job_id{123456789}, 0s).value().kind == end_kind::unknown);
}

TEST_CASE("a caller can wait for a job that already runs and is not tracked", "[scenario][pgjobq22]") {
    const database db;
    queue jobs{db.driver()};
    test::gate go;
    const auto handler = [&](const note&, pgq::context& c) { (void)go.pass(c); };
    test::running_worker w{jobs, {}, divide, handler};
    const auto first = jobs.enqueue(test::notes(10)).value();
    REQUIRE(test::eventually([&] { return go.waiting() > 0; }));
    auto ends = std::async(std::launch::async, [&] { return first.wait_all(test::test_timeout); });
    REQUIRE(test::eventually([&] { return db.rows("tracked") == 10; }));
    go.open();
    for (const auto& e : ends.get().value()) CHECK(e.kind == end_kind::done);
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(db.rows("tracked") == 0);
}

TEST_CASE("many threads wait on one queue object, each for its own job, over one connection", "[scenario][direct]") {
    const database db;
    queue jobs{db.driver()};
    test::running_worker w{jobs, {}, divide, take_note};
    std::vector<std::future<std::int64_t>> waits;
    for (std::int64_t i = 1; i <= 16; ++i)
        waits.push_back(std::async(std::launch::async, [&jobs, i] {
            std::int64_t sum = 0;
            for (std::int64_t k = 0; k < 20; ++k)
                sum += jobs.enqueue(division{.a = 100 * i, .b = 1}).value().get(test::test_timeout).value().whole;
            return sum;
        }));
    for (std::int64_t i = 1; i <= 16; ++i) CHECK(waits[static_cast<std::size_t>(i - 1)].get() == 2000 * i);
    CHECK(db.count_sessions() <= 5);
}

TEST_CASE("a waiter receives the end although its connection broke", "[scenario][direct]") {
    const database db;
    queue jobs{db.driver()};
    const auto h = jobs.enqueue(division{.a = 6, .b = 2}).value();
    auto got = std::async(std::launch::async, [&] { return h.get(test::test_timeout); });
    REQUIRE(test::eventually(
        [&] { return db.query_int("SELECT count(*) FROM {s}.tracked WHERE waiters IS NOT NULL") == 1; }));
    db.exec("SELECT pg_terminate_backend(w) FROM {s}.tracked, unnest(waiters) w");
    test::run_until_empty(jobs, {}, divide, take_note);
    CHECK(got.get().value().whole == 3);
}

TEST_CASE("a wait without time works although the server has closed its idle connection",
          "[scenario][direct][undisturbed]") {
    const database db;
    queue jobs{db.driver()};
    const auto h = jobs.enqueue(division{.a = 6, .b = 2}).value();
    REQUIRE(test::eventually([&] { return h.wait(0s).error() == pgq::errc::timeout; }));
    (void)db.end_sessions();
    CHECK(h.wait(0s).error() == pgq::errc::timeout);
}

TEST_CASE("an end is stored for as long as keep_outcome says, and then deleted", "[scenario]") {
    const database db;
    queue jobs{db.driver(), {.keep_results = 1h}};
    const auto h = jobs.enqueue(division{.a = 6, .b = 2}).value();
    test::run_until_empty(jobs, {}, divide, take_note);
    auto session = db.driver().connect(pgq::session_role::monitor).value();
    CHECK(session.expire_and_purge().value().purged == 0);
    CHECK(db.query_int("SELECT extract(epoch FROM keep_until - ended_at) FROM {s}.outcome") == 3600);
    db.exec("UPDATE {s}.outcome SET keep_until = now()");
    CHECK(session.expire_and_purge().value().purged == 1);
    CHECK(h.wait(0s).value().kind == end_kind::unknown);
}

TEST_CASE("the death of a worker ends a tracked job only in its last attempt", "[scenario]") {
    const database db;
    queue jobs{db.driver()};
    const auto h = jobs.enqueue(note{}, {.keep_outcome = 1min}).value();
    const auto lane = jobs.lanes().value().back();
    const auto dies = [&] {
        test::claiming_session c{db, {lane}, 1min, 2};
        REQUIRE(c.claim(1).claimed() == 1);
        db.exec("UPDATE {s}.worker SET heartbeat_at = now() - interval '1 hour'");
        (void)c.line().rescue().value();
    };
    dies();
    CHECK(h.wait(0s).error() == pgq::errc::timeout);
    dies();
    const auto end = h.wait(0s).value();
    CHECK(end.kind == end_kind::held);
    CHECK(end.reason == "its worker died");
}

}  // namespace scenarios_completion
