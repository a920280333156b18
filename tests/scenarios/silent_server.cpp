#include <pgq/async_worker.hpp>
#include <pgq/driver/asio_libpq.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/proxy.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>

namespace scenarios_silent_server {

using namespace std::chrono_literals;
using test::database;
using test::note;
using steady = std::chrono::steady_clock;

namespace {

// These calls end after 2 s. The default response_timeout would end them after 30 s.
constexpr auto before_response_timeout = 8s;

template <class Call>
std::chrono::milliseconds time_of(Call call) {
    const auto begun = steady::now();
    call();
    return std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - begun);
}

}  // namespace

TEST_CASE("a wait for a job ends at the caller's deadline if the server is silent", "[scenario][silent]") {
    database db;
    test::proxy between;
    test::note_queue<> jobs{pgq::driver::libpq{between.options(db)}};
    const auto job = jobs.enqueue(note{.n = 1}).value();
    const bool has_waited = GENERATE(true, false);
    if (has_waited) CHECK(job.wait(10ms).error() == pgq::errc::timeout);
    SECTION("the whole host") { between.freeze_host(); }
    SECTION("the open connections") { between.freeze(); }
    const auto took = time_of([&] { CHECK_FALSE(job.wait(2s)); });
    CHECK(took >= 1900ms);
    CHECK(took < before_response_timeout);
    between.thaw();
    between.cut();
    CHECK(job.wait(1s).error() == pgq::errc::timeout);
}

TEST_CASE("waits of several threads each end at their own deadline if the server is silent", "[scenario][silent]") {
    database db;
    test::proxy between;
    test::note_queue<> jobs{pgq::driver::libpq{between.options(db)}};
    const auto job = jobs.enqueue(note{.n = 1}).value();
    CHECK(job.wait(10ms).error() == pgq::errc::timeout);
    between.freeze_host();
    const auto wait = [&](std::chrono::milliseconds timeout) {
        return std::async(std::launch::async, [&job, timeout] { return time_of([&] { (void)job.wait(timeout); }); });
    };
    // A busy machine may need another try.
    CHECK(test::eventually([&] {
        auto longest = wait(3s);
        auto shortest = wait(1200ms);
        auto middle = wait(2s);
        const auto least = shortest.get(), mean = middle.get(), most = longest.get();
        return least < 1900ms && mean < 2700ms && most < 3700ms;
    }));
}

TEST_CASE("get ends at the caller's deadline if the server is silent", "[scenario][silent]") {
    database db;
    test::proxy between;
    test::note_queue<> jobs{pgq::driver::libpq{between.options(db)}};
    const bool has_connected = GENERATE(true, false);
    if (has_connected) CHECK_FALSE(jobs.get<note>({.timeout = 50ms}).value().has_value());
    SECTION("the whole host") { between.freeze_host(); }
    SECTION("the open connections") { between.freeze(); }
    const auto took = time_of([&] { (void)jobs.get<note>({.timeout = 2s}); });
    CHECK(took < before_response_timeout);
    between.thaw();
    between.cut();
    test::note_queue<> others{db.driver()};
    others.enqueue(note{.n = 2}).value();
    CHECK(test::eventually([&] {
        const auto got = jobs.get<note>({.timeout = 2s});
        return got && got->has_value();
    }));
}

TEST_CASE("poll ends at the caller's deadline if the server is silent, and loses no job", "[scenario][silent][poll]") {
    database db;
    test::proxy between;
    test::note_queue<> jobs{pgq::driver::libpq{between.options(db)}};
    auto poller = jobs.poll<note>({.timeout = 2s});
    const bool has_connected = GENERATE(true, false);
    if (has_connected) {
        test::note_queue<> others{db.driver()};
        others.enqueue(note{.n = 1}).value();
        poller.next().value()->ack().value();
    }
    SECTION("the whole host") { between.freeze_host(); }
    SECTION("the open connections") { between.freeze(); }
    SECTION("its requests arrive") {
        test::note_queue<> others{db.driver()};
        others.enqueue(note{.n = 2}).value();
        between.mute();
    }
    const auto took = time_of([&] { (void)poller.next(); });
    CHECK(took < before_response_timeout);
    between.thaw();
    between.cut();
    test::note_queue<> others{db.driver()};
    others.enqueue(note{.n = 3}).value();
    for (std::size_t left = static_cast<std::size_t>(db.rows("ready") + db.leased()); left > 0; --left)
        CHECK(test::eventually([&] {
            auto got = poller.next();
            return got && got->has_value() && (*got)->ack().has_value();
        }));
    CHECK(test::eventually([&] { return db.is_empty(); }));
}

TEST_CASE("a worker that is told to stop while the server is silent returns within the grace time and a second",
          "[scenario][silent]") {
    database db;
    test::proxy between;
    test::note_queue<> jobs{pgq::driver::libpq{between.options(db)}, {}, pgq::executor::thread_pool{1}};
    const bool busy = GENERATE(true, false);
    if (busy) jobs.enqueue(note{.n = 1}).value();
    test::gate gate;
    test::running_worker w{jobs, pgq::worker_options{.poll_interval = 100ms, .grace = 1s},
                           [&](const note&, const pgq::context& c) { gate.pass(c); }};
    REQUIRE(test::eventually([&] { return busy ? gate.waiting() == 1 : db.subscribed_workers() == 1; }));
    SECTION("the whole host") { between.freeze_host(); }
    SECTION("the open connections") { between.freeze(); }
    SECTION("its requests arrive") { between.mute(); }
    const int before = between.connections();
    (void)test::always(500ms, [&] { return between.connections() == before; });  // it polls into the silence
    pgq::result<void> outcome;
    const auto took = time_of([&] { outcome = w.stop(); });
    CHECK(outcome);
    CHECK(took < before_response_timeout);
}

TEST_CASE("an asynchronous worker that is told to stop while the server is silent returns as soon",
          "[scenario][silent]") {
    database db;
    test::proxy between;
    test::running_context context;
    pgq::queue<pgq::job<note>, pgq::driver::asio_libpq, pgq::serializer::json, pgq::executor::thread_pool> jobs{
        pgq::driver::asio_libpq{context.executor(), between.options(db)}, {}, pgq::executor::thread_pool{1}};
    (void)jobs.lanes().value();
    pgq::async_worker w{jobs, pgq::worker_options{.poll_interval = 100ms, .grace = 1s}, [](const note&) {}};
    test::outcome<> end;
    w.async_run(end.handler());
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
    between.freeze_host();
    CHECK_FALSE(end.comes_within(500ms));  // it polls into the silence
    w.stop();
    CHECK(end.comes_within(2800ms));
}

// The worker of the other machine takes the job over one lease time after the last heartbeat. By then the handler here
// must know, although response_timeout is longer: both the heartbeat and the worker itself wait for a silent server.
template <class RunBehind>
void check_told_before_others_run(RunBehind run_behind) {
    database db;
    test::proxy between;
    test::note_queue<> direct{db.driver(), {}, pgq::executor::thread_pool{1}};
    (void)direct.lanes().value();
    std::atomic<bool> told{false};
    std::atomic<int> told_in_time{-1};
    test::gate gate;  // nobody opens it
    const auto until_told = [&](const note&, const pgq::context& c) {
        (void)gate.pass(c);
        told = c.stop_reason() == pgq::stop_reason::lease_lost;
    };
    constexpr pgq::worker_options options{.lease_time = 5s, .poll_interval = 100ms, .grace = 1s};
    run_behind(between.options(db), options, until_told, [&] {
        direct.enqueue(note{.n = 1}).value();
        REQUIRE(test::eventually([&] { return direct.counts<note>().value().leased == 1; }));
        between.freeze_host();
        test::running_worker other{direct, options, [&](const note&) { told_in_time = told ? 1 : 0; }};
        CHECK(test::eventually([&] { return told_in_time >= 0; }));
        CHECK(told_in_time == 1);
    });
}

TEST_CASE("a handler is told that its lease is lost before another worker runs the job, if the server falls silent",
          "[scenario][silent]") {
    check_told_before_others_run([](auto behind, auto options, auto handler, auto body) {
        test::note_queue<> jobs{pgq::driver::libpq{behind}, {}, pgq::executor::thread_pool{1}};
        test::running_worker w{jobs, options, handler};
        body();
    });
}

TEST_CASE("a handler of an asynchronous worker is told as soon", "[scenario][silent]") {
    check_told_before_others_run([](auto behind, auto options, auto handler, auto body) {
        test::running_context context;
        pgq::queue<pgq::job<note>, pgq::driver::asio_libpq, pgq::serializer::json, pgq::executor::thread_pool> jobs{
            pgq::driver::asio_libpq{context.executor(), behind}, {}, pgq::executor::thread_pool{1}};
        pgq::async_worker w{jobs, options, handler};
        test::outcome<> end;
        w.async_run(end.handler());
        body();
        w.stop();
        CHECK(end.comes_within(8s));
    });
}

TEST_CASE("an enqueue that waits for a lock for too long is cancelled, and leaves no session behind",
          "[scenario][silent][direct]") {
    database db;
    auto o = db.options();
    o.response_timeout = 1s;
    test::note_queue<> jobs{pgq::driver::libpq{o}};
    (void)jobs.lanes().value();
    const test::sql_connection other{test::dsn(), db.schema()};
    (void)other.exec("BEGIN; LOCK TABLE {s}.ready");
    const auto sessions = [&] { return db.count_sessions(); };
    for (int i = 0; i < 3; ++i) {
        const auto put = jobs.enqueue(note{.n = 1});
        REQUIRE_FALSE(put);
        INFO(put.error().text());
        CHECK(put.error().code == pgq::make_sqlstate("57014"));
        CHECK(put.error() == pgq::condition::transient);
        CHECK(put.error().message.find("was cancelled") != std::string::npos);
        CHECK(sessions() == 1);
    }
    (void)other.exec("ROLLBACK");
    jobs.enqueue(note{.n = 2}).value();
    CHECK(db.rows("ready") == 1);
    CHECK(sessions() == 1);
}

TEST_CASE("workers that wait for a lock for too long leave no sessions behind", "[scenario][silent][direct]") {
    database db;
    auto o = db.options();
    o.response_timeout = 1s;
    test::note_queue<> jobs{pgq::driver::libpq{o}};
    (void)jobs.lanes().value();
    const auto sessions = [&] { return db.count_sessions(); };
    test::running_worker one{jobs, pgq::worker_options{.poll_interval = 100ms}, [](const note&) {}};
    test::running_worker other{jobs, pgq::worker_options{.poll_interval = 100ms}, [](const note&) {}};
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 2; }));
    const test::sql_connection locking{test::dsn(), db.schema()};
    (void)locking.exec("BEGIN; LOCK TABLE {s}.ready");
    CHECK(test::always(6s, [&] { return sessions() <= 5; }));  // the queue's, two for each worker
    (void)locking.exec("ROLLBACK");
    jobs.enqueue(note{.n = 1}).value();
    CHECK(test::eventually([&] { return db.is_empty(); }));
}

}  // namespace scenarios_silent_server
