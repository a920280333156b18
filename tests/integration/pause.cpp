#include <pgq/client/flow.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/limiter/all_of.hpp>
#include <pgq/limiter/global_concurrency.hpp>
#include <pgq/limiter/global_rate.hpp>
#include <pgq/protocol/lane_search.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/statement/claim.hpp>
#include <pgq/statement/enqueue.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/own_server.hpp>
#include <support/sql_functions.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace integration_pause {

using namespace std::chrono_literals;
using pgq::pause_kind;
using test::always, test::database, test::eventually, test::letter, test::note;

namespace {

using plain_queue = pgq::queue<note, letter, pgq::driver::libpq, pgq::serializer::json, pgq::executor::thread_pool>;

/// The plan of a statement with these types and values of its parameters, as text.
std::string plan_of(const database& db, std::string_view text, const std::string& types, const std::string& values) {
    db.exec("PREPARE explained (" + types + ") AS " + std::string{text});
    db.exec("SET plan_cache_mode = force_generic_plan");
    const auto rows = db.sql().exec("EXPLAIN (VERBOSE) EXECUTE explained (" + values + ")");
    db.exec("DEALLOCATE explained");
    std::string plan;
    for (int i = 0; i < PQntuples(rows.get()); ++i) plan += std::string{PQgetvalue(rows.get(), i, 0)} + "\n";
    return plan;
}

}  // namespace

TEST_CASE("while nothing is paused the plans of claims and enqueues have no trace of it", "[integration][pause]") {
    database db;
    plain_queue jobs{db.driver()};
    (void)jobs.enqueue(note{}).value();
    namespace st = pgq::statement;
    const auto claim = [&] {
        return plan_of(db, st::claim_one.text, "int4, int8, int8, int8, int4, int2, int8", "1, 0, 0, 1, 1, 1, 0") +
               plan_of(db, st::claim_few.text, "int4, int8, int8, int8, int4, int2", "1, 0, 0, 1, 1, 1");
    };
    const auto enqueue = [&] { return plan_of(db, st::enqueue_one.text, "int4, int8, bytea", "1, 0, ''"); };
    const auto claim_before = claim(), enqueue_before = enqueue();
    CHECK(claim_before.find("pause") == std::string::npos);
    CHECK(enqueue_before.find("open") == std::string::npos);
    CHECK(jobs.pause("maintenance").value());
    CHECK(jobs.drain("maintenance").value());
    const auto claim_now = claim();
    const auto first = claim_now.find("is_paused");
    CHECK(first != std::string::npos);
    CHECK(claim_now.find("is_paused", first + 1) != std::string::npos);  // of each of the two
    CHECK(enqueue().find("open_lane") != std::string::npos);
    CHECK(jobs.resume().value());
    CHECK(claim() == claim_before);
    CHECK(enqueue() == enqueue_before);
    CHECK(db.rows("paused_lane") == 0);
}

TEST_CASE("each way to take a job obeys a pause", "[integration][pause]") {
    database db;
    plain_queue jobs{db.driver()};
    (void)jobs.enqueue(test::notes(300), {.packed = true}).value();
    (void)jobs.enqueue(note{.n = 300}, {.priority = 1}).value();
    CHECK(jobs.pause<note>("maintenance").value());
    for (const auto threads : {1, 3}) {
        pgq::queue<note, letter, pgq::driver::libpq, pgq::serializer::json, pgq::executor::thread_pool> other{
            db.driver(), {}, pgq::executor::thread_pool{static_cast<std::size_t>(threads)}};
        test::run_until_empty(
            other, {}, [](const note&) { FAIL("it is paused"); }, [](const letter&) {});
    }
    CHECK_FALSE(jobs.get<note>({.timeout = 0s}).value().has_value());
    CHECK_FALSE(jobs.get<note>({.timeout = 0s, .where = pgq::header_of("a").does_not_exist()}).value().has_value());
    auto poller = jobs.poll<note>({.timeout = 0s});
    CHECK_FALSE(poller.next().value().has_value());
    jobs.transaction([](auto& tx) { CHECK_FALSE(tx.template take<note>().value().has_value()); }).value();
    CHECK(jobs.counts<note>().value() == pgq::lane_counts{.ready = 301, .paused = true});
    CHECK(db.query_int("SELECT coalesce(sum(n), 0) FROM {s}.pack") == 300);  // the packs stay as they are
    CHECK(jobs.resume<note>().value());
    test::run_log log;
    test::run_until_empty(
        jobs, {}, [&](const note& n, const pgq::context& c) { log.add(n.n, c); }, [](const letter&) {});
    CHECK(log.each_ran_once(301));
}

TEST_CASE("the packs of a paused lane stay packed while workers claim", "[integration][pause][packs]") {
    database db;
    test::enqueuing_session from{db.options()};
    const auto lanes = from.lanes({"a", "b"});
    for (const auto lane : lanes) (void)from.enqueue(lane, test::numbered("x", 20), {.packed = true});
    CHECK(from.line().pause({"default", "a", pause_kind::paused, ""}).value());
    test::claiming_session c{db, lanes};
    CHECK(c.claim(100).claimed() == 20);
    const pgq::limited_lane limited{.lane = lanes[0], .most = 5, .max_attempts = 5};
    CHECK(c.sync({.limited = {&limited, 1}, .limited_capacity = 5}).leases.empty());
    CHECK(db.rows("pack") == 1);
    CHECK(db.rows("ready") == 0);
}

TEST_CASE("a transaction that has taken a job before takes none after the pause", "[integration][pause]") {
    database db;
    plain_queue jobs{db.driver()}, operator_{db.driver()};
    (void)jobs.enqueue(test::notes(3)).value();
    jobs.transaction([&](auto& tx) {
            CHECK(tx.template take<note>().value().has_value());
            CHECK(operator_.pause<note>("maintenance").value());
            CHECK_FALSE(tx.template take<note>().value().has_value());
        })
        .value();
    CHECK(jobs.counts<note>().value() == pgq::lane_counts{.ready = 2, .paused = true});
}

TEST_CASE("a pause within limits holds, and costs no tokens", "[integration][pause][limit]") {
    database db;
    using slow =
        pgq::limiter::all_of<pgq::limiter::global_concurrency<2>, pgq::limiter::global_rate<1, std::chrono::hours, 20>>;
    pgq::queue<pgq::job<note, slow>, pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place> jobs{
        db.driver()};
    (void)jobs.enqueue(test::notes(20)).value();
    CHECK(jobs.pause<note>("maintenance").value());
    test::run_until_empty(jobs, {}, [](const note&) { FAIL("it is paused"); });
    CHECK(jobs.counts<note>().value().ready == 20);
    CHECK(db.query_text("SELECT tokens FROM {s}.lane_limit WHERE kind = 'r'") == "1");  // as a new rate has
    db.exec("UPDATE {s}.lane_limit SET tokens = 20 WHERE kind = 'r'");
    CHECK(jobs.resume<note>().value());
    test::run_log log;
    test::run_until_empty(jobs, {}, [&](const note& n, const pgq::context& c) { log.add(n.n, c); });
    CHECK(log.each_ran_once(20));
}

TEST_CASE("while several workers claim, a pause stops all of them, and a resume wakes them at once",
          "[integration][pause][direct]") {
    database db;
    using queue = pgq::queue<note, pgq::driver::libpq, pgq::serializer::json, pgq::executor::thread_pool>;
    queue jobs{db.driver()};
    (void)jobs.enqueue(test::notes(20'000)).value();
    test::run_log log;
    test::gate all_work;
    std::array<std::atomic<int>, 4> ran{};
    const auto handler_of = [&](std::atomic<int>& by_this_worker) {
        return [&](const note& n, const pgq::context& c) {
            ++by_this_worker;
            (void)all_work.pass(c);
            log.add(n.n, c);
        };
    };
    using handler = decltype(handler_of(ran[0]));
    std::vector<std::unique_ptr<queue>> queues;
    std::vector<std::unique_ptr<test::running_worker<queue, handler>>> workers;
    for (auto& by_this_worker : ran) {
        queues.push_back(std::make_unique<queue>(db.driver()));
        workers.push_back(std::make_unique<test::running_worker<queue, handler>>(
            *queues.back(), pgq::worker_options{.poll_interval = 1h}, handler_of(by_this_worker)));
    }
    REQUIRE(eventually([&] { return std::all_of(ran.begin(), ran.end(), [](const auto& n) { return n > 0; }); }));
    all_work.open();
    REQUIRE(eventually([&] { return log.size() > 500; }));
    CHECK(jobs.pause<note>("maintenance").value());
    REQUIRE(eventually([&] { return db.leased() == 0; }));
    const auto begun = log.size();
    CHECK(begun < 20'000);
    CHECK(always(200ms, [&] { return log.size() == begun; }));
    CHECK(jobs.counts<note>().value().ready + static_cast<std::int64_t>(begun) == 20'000);
    CHECK(jobs.resume<note>().value());
    CHECK(eventually([&] { return log.size() == 20'000; }));
    CHECK(log.each_ran_once(20'000));
    for (const auto& s : log.all()) REQUIRE(s.attempt == 1);
}

TEST_CASE("a draining queue refuses plain, tracked, copied and packed jobs, flows, and those of SQL functions",
          "[integration][pause][drain]") {
    database db;
    plain_queue jobs{db.driver()};
    test::emit<plain_queue>(db);
    (void)jobs.enqueue(note{}).value();
    const auto by_sql = [&] { return db.query_int("SELECT {s}.enqueue_note('{\"n\":1,\"text\":\"\"}')"); };
    CHECK(by_sql() > 0);
    CHECK(jobs.drain<note>("moving").value());
    const auto check = [&](const pgq::error_info& e) {
        INFO(e.text());
        CHECK(e == pgq::errc::draining);
        CHECK(e.message == "the entrypoint \"note\" of the queue \"default\" takes no new jobs: moving");
        CHECK(e.detail.find("The entrypoint is draining since") == 0);
        CHECK(e.hint.find("resume()") != std::string::npos);
    };
    check(jobs.enqueue(note{}).error());
    check(jobs.enqueue(note{}, {.run_at = pgq::in(1h)}).error());
    check(jobs.enqueue(note{}, {.unique_key = "k"}).error());
    check(jobs.enqueue(test::notes(3)).error());
    check(jobs.enqueue(test::notes(6000)).error());
    check(jobs.enqueue(test::notes(200), {.packed = true}).error());
    auto flow = jobs.flow();
    (void)flow.add(letter{});
    (void)flow.add(note{});
    check(flow.enqueue().error());
    (void)jobs.transaction([&](auto& tx) {
        auto put = tx.enqueue(note{});
        check(put.error());
        return pgq::result<void>{std::move(put.error())};
    });
    CHECK_THROWS(by_sql());
    CHECK(jobs.enqueue(letter{}).has_value());
    CHECK(jobs.counts<letter>().value().ready == 1);
    CHECK(jobs.counts<note>().value() == pgq::lane_counts{.ready = 2, .draining = true});
    CHECK(jobs.resume<note>().value());
    CHECK(jobs.enqueue(note{}).has_value());
    CHECK(by_sql() > 0);
}

TEST_CASE("a session that has enqueued and claimed before obeys at once", "[integration][pause]") {
    database db;
    plain_queue jobs{db.driver()}, operator_{db.driver()};
    for (int round = 0; round < 8; ++round) {  // from the sixth execution on the server keeps a generic plan
        REQUIRE(jobs.enqueue(note{}).has_value());
        REQUIRE(jobs.get<note>({.timeout = 0s}).value().has_value());
    }
    for (int round = 0; round < 3; ++round) {
        CHECK(operator_.drain<note>("a").value());
        CHECK(jobs.enqueue(note{}).error() == pgq::errc::draining);
        CHECK(operator_.resume<note>().value());
        CHECK(jobs.enqueue(note{}).has_value());
        CHECK(operator_.pause<note>("b").value());
        CHECK_FALSE(jobs.get<note>({.timeout = 0s}).value().has_value());
        CHECK(operator_.resume<note>().value());
        CHECK(jobs.get<note>({.timeout = 0s}).value().has_value());
    }
}

TEST_CASE("a worker of many names is told of a pause and of its end", "[integration][pause][names][direct]") {
    database db;
    plain_queue jobs{db.driver()};
    (void)jobs.lanes().value();
    auto session = pgq::driver::libpq{database::unbroken(db.options())}.connect(pgq::session_role::worker).value();
    const pgq::lane_name served{.entrypoint = "note"};
    const pgq::served_queues all{.lanes = {&served, 1}};
    const auto id =
        session.register_worker({.host = "here", .pid = 1, .version = "0", .lease_time = 1min, .queues = &all}).value();
    pgq::sync_reply reply;
    session.sync({.worker = id, .subscribe_wakes = true}, reply).value();
    CHECK(jobs.pause<note>("maintenance").value());
    REQUIRE(session.wait(test::test_timeout).value() == pgq::wake_reason::notified);
    CHECK(session.take_stop_request());
    CHECK(jobs.resume<note>().value());
    REQUIRE(session.wait(test::test_timeout).value() == pgq::wake_reason::notified);
    CHECK(session.take_stop_request());
}

TEST_CASE("a pause made with SQL holds for lanes that are made later, and reads as the library's",
          "[integration][pause]") {
    database db;
    CHECK(db.query_text("SELECT {s}.pause('default', '', 'by hand')") == "t");
    CHECK(db.query_text("SELECT {s}.pause('default', '', 'by hand', 'draining')") == "t");
    plain_queue jobs{db.driver()};
    CHECK(jobs.counts<note>().value() == pgq::lane_counts{.paused = true, .draining = true});
    const auto all = jobs.paused().value();
    REQUIRE(all.size() == 2);
    CHECK(all[0].kind == pause_kind::draining);
    CHECK(all[1].reason == "by hand");
    CHECK(db.query_text("SELECT {s}.resume('default', '')") == "t");
    CHECK(jobs.enqueue(note{}).has_value());
}

TEST_CASE("a pause and a drain survive a crash of the server", "[integration][pause][slow]") {
    const test::own_server server;
    const pgq::driver::libpq driver{{.conninfo = server.conninfo()}};
    {
        plain_queue jobs{driver};
        jobs.install().value();
        (void)jobs.enqueue(note{}).value();
        CHECK(jobs.pause<note>("maintenance").value());
        CHECK(jobs.drain<letter>("maintenance").value());
    }
    server.restart_immediately();
    plain_queue jobs{driver};
    CHECK(jobs.counts<note>().value() == pgq::lane_counts{.ready = 1, .paused = true});
    CHECK_FALSE(jobs.get<note>({.timeout = 0s}).value().has_value());
    CHECK(jobs.enqueue(letter{}).error() == pgq::errc::draining);
    CHECK(jobs.resume<note>().value());
    CHECK(jobs.get<note>({.timeout = 0s}).value().has_value());
}

}  // namespace integration_pause
