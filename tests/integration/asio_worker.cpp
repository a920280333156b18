#include <pgq/async_worker.hpp>
#include <pgq/driver/asio_libpq.hpp>
#include <pgq/executor/coroutine.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/roles.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <map>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace integration_asio_worker {

using namespace std::chrono_literals;

namespace {

using pgq::driver::asio_libpq;
using test::note;

template <class Executor>
using asio_queue = pgq::queue<pgq::job<note>, asio_libpq, pgq::serializer::json, Executor, test::event_counts>;
using coroutine_queue = asio_queue<pgq::executor::coroutine>;
using thread_queue = asio_queue<pgq::executor::thread_pool>;

/// A database, a context with one thread, and a queue whose jobs run on that context.
struct fixture {
    explicit fixture(std::size_t threads = 1) : context{threads} {}

    asio_libpq driver(std::string application = {}) {
        auto options = db.options();
        if (!application.empty())
            options.conninfo = test::database::with_settings("application_name", std::move(application));
        return asio_libpq{context.executor(), options};
    }
    coroutine_queue coroutines(std::string application = {}) {
        return coroutine_queue{
            driver(std::move(application)), {}, pgq::executor::coroutine{context.executor(), 16}, seen};
    }
    bool is_over() const { return db.is_empty() && db.has_no_worker(); }

    test::database db;
    test::running_context context;
    test::event_counts seen;
    test::run_log run_log;
};

constexpr pgq::worker_options until_empty{.until = pgq::run_until::empty};
constexpr pgq::worker_options until_drained{.until = pgq::run_until::drained};

/// A worker run. The destructor stops it and waits for its end.
template <class Worker>
class running {
public:
    explicit running(Worker& w) : worker_{&w}, end_{w.async_run(asio::use_future)} {}
    running(const running&) = delete;
    running& operator=(const running&) = delete;
    ~running() {
        if (!end_.valid()) return;
        worker_->stop();
        end_.wait();
    }
    /// The result of the run.
    void stop() {
        worker_->stop();
        end_.get();
    }

private:
    Worker* worker_;
    std::future<void> end_;
};

asio::awaitable<void> nap(pgq::duration d) {
    asio::steady_timer timer{co_await asio::this_coro::executor, d};
    co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

TEST_CASE("an async_worker runs several suspended coroutines in one thread", "[async_worker]") {
    fixture f;
    auto jobs = f.coroutines();
    jobs.enqueue(test::notes(40)).value();
    std::atomic<int> under_way{0}, most{0};
    pgq::async_worker w{jobs, until_empty, [&](const note& n, pgq::context& c) -> asio::awaitable<void> {
                            const int now = ++under_way;
                            if (now > most) most = now;
                            co_await nap(2ms);
                            --under_way;
                            f.run_log.add(n.n, c);
                        }};
    w.async_run(asio::use_future).get();
    CHECK(f.run_log.each_ran_once(40));
    CHECK(most > 1);
    CHECK(most <= 16);
    CHECK(f.is_over());
}

TEST_CASE("an async_worker runs plain handlers on threads", "[async_worker]") {
    fixture f;
    thread_queue jobs{f.driver(), {}, pgq::executor::thread_pool{2}, f.seen};
    jobs.enqueue(test::notes(500)).value();
    pgq::async_worker w{jobs, until_empty, [&](const note& n, pgq::context& c) { f.run_log.add(n.n, c); }};
    w.async_run(asio::use_future).get();
    CHECK(f.run_log.each_ran_once(500));
    CHECK(f.is_over());
}

TEST_CASE("the health of an async_worker has its heartbeats and the coroutines that run", "[async_worker][health]") {
    fixture f;
    auto jobs = f.coroutines();
    (void)jobs.enqueue(test::notes(5)).value();
    std::atomic<bool> release{false};
    pgq::async_worker w{jobs, pgq::worker_options{.lease_time = 300ms}, [&](const note&) -> asio::awaitable<void> {
                            asio::steady_timer timer{co_await asio::this_coro::executor};
                            while (!release) {
                                timer.expires_after(1ms);
                                co_await timer.async_wait(asio::use_awaitable);
                            }
                        }};
    CHECK_FALSE(w.is_healthy());
    running run{w};
    CHECK(test::eventually([&] { return w.health().handlers == 5; }));
    CHECK(test::eventually([&] { return w.health().oldest_handler > 300ms; }));
    CHECK(test::eventually([&] { return w.is_healthy(); }));
    release = true;
    CHECK(test::eventually([&] { return w.health().handlers == 0; }));
    run.stop();
    CHECK_FALSE(w.health().running);
}

TEST_CASE("an async_worker whose role sees no jobs through row level security ends with an error",
          "[async_worker][direct]") {
    fixture f;
    const test::roles roles{f.db.schema()};
    f.db.exec("ALTER TABLE {s}.ready ENABLE ROW LEVEL SECURITY");
    auto options = f.db.options();
    options.conninfo = test::roles::conninfo_as(roles.names().worker, options.conninfo);
    thread_queue jobs{asio_libpq{f.context.executor(), options}, {}, pgq::executor::thread_pool{1}, f.seen};
    pgq::async_worker w{jobs, until_empty, [](const note&) {}};
    std::error_code why;
    try {
        w.async_run(asio::use_future).get();
    } catch (const std::system_error& e) { why = e.code(); }
    CHECK(why == pgq::errc::unfit_database);
}

TEST_CASE("an async_worker works on a context with several threads", "[async_worker]") {
    fixture f{3};
    auto jobs = f.coroutines();
    jobs.enqueue(test::notes(300)).value();
    pgq::async_worker w{jobs, until_empty, [&](const note& n, pgq::context& c) -> asio::awaitable<void> {
                            if (n.n % 3 == 0) co_await nap(1ms);
                            f.run_log.add(n.n, c);
                        }};
    w.async_run(asio::use_future).get();
    CHECK(f.run_log.each_ran_once(300));
    CHECK(f.is_over());
}

TEST_CASE("an exception of a coroutine before or after a suspension is a failed attempt", "[async_worker]") {
    fixture f;
    auto jobs = f.coroutines();
    jobs.enqueue(test::notes(2)).value();
    pgq::worker_options options{.max_attempts = 2, .until = pgq::run_until::drained};
    pgq::async_worker w{jobs, options, [&](const note& n, pgq::context& c) -> asio::awaitable<void> {
                            f.run_log.add(n.n, c);
                            if (n.n == 1) co_await nap(1ms);
                            if (n.n == 1 || c.attempt() == 1) throw std::runtime_error{"not today"};
                        }};
    w.async_run(asio::use_future).get();
    CHECK(f.run_log.runs() == std::map<std::int64_t, int>{{0, 2}, {1, 2}});
    const auto held = jobs.held<note>().value();
    REQUIRE(held.size() == 1);
    CHECK(held[0].reason == "attempt 2 of 2 failed: not today");
}

TEST_CASE("an async_worker waits for delayed retries of its handlers, and for no other delayed jobs",
          "[async_worker]") {
    fixture f;
    auto jobs = f.coroutines();
    jobs.enqueue(note{1, ""}).value();
    pgq::async_worker w{jobs, until_drained, [&](const note& n, pgq::context& c) -> asio::awaitable<pgq::outcome> {
                            f.run_log.add(n.n, c);
                            if (c.attempt() == 1) co_return pgq::retry_after{30ms, "later"};
                            co_return pgq::done{};
                        }};
    w.async_run(asio::use_future).get();
    CHECK(f.run_log.runs()[1] == 2);
    CHECK(f.is_over());
}

TEST_CASE("an enqueue wakes a sleeping async_worker", "[async_worker][direct]") {
    fixture f;
    auto jobs = f.coroutines();
    pgq::async_worker w{jobs, {.poll_interval = 1h}, [&](const note& n, pgq::context& c) -> asio::awaitable<void> {
                            f.run_log.add(n.n, c);
                            co_return;
                        }};
    running run{w};
    REQUIRE(test::eventually([&] { return f.db.subscribed_workers() == 1; }));
    jobs.enqueue(note{7, ""}).value();
    CHECK(test::eventually([&] { return f.run_log.size() == 1 && f.db.is_empty(); }));
    run.stop();
    CHECK(f.db.has_no_worker());
}

TEST_CASE("a cancelled async_worker waits for running jobs, gives the others back and ends without an error",
          "[async_worker]") {
    fixture f;
    auto jobs = f.coroutines();
    jobs.enqueue(test::notes(200)).value();
    std::atomic<int> started{0};
    std::atomic<bool> go{false};
    pgq::async_worker w{jobs, [&](const note& n, pgq::context& c) -> asio::awaitable<void> {
                            ++started;
                            while (!go) co_await nap(1ms);
                            f.run_log.add(n.n, c);
                        }};
    const auto kind = GENERATE(asio::cancellation_type::terminal, asio::cancellation_type::total);
    asio::cancellation_signal signal;
    test::outcome<> end;
    w.async_run(asio::bind_cancellation_slot(signal.slot(), end.handler()));
    REQUIRE(test::eventually([&] { return started == 16; }));
    asio::post(f.context.executor(), [&] { signal.emit(kind); });
    CHECK_FALSE(end.comes_within(50ms));
    go = true;
    CHECK_FALSE(end.error());
    CHECK(f.run_log.size() == 16);
    CHECK(f.db.leased() == 0);
    CHECK(f.db.rows("ready") == 184);
    CHECK(f.db.has_no_worker());
}

TEST_CASE("stop() from another thread ends the run, and the worker can run again", "[async_worker]") {
    fixture f;
    auto jobs = f.coroutines();
    pgq::async_worker w{jobs, [&](const note& n, pgq::context& c) -> asio::awaitable<void> {
                            f.run_log.add(n.n, c);
                            co_return;
                        }};
    for (const std::int64_t n : {1, 2}) {
        running run{w};
        jobs.enqueue(note{n, ""}).value();
        CHECK(test::eventually([&] { return f.run_log.runs()[n] == 1; }));
        run.stop();
    }
    CHECK(f.is_over());
}

TEST_CASE("at the end of the grace time the stop token of a handler that still runs fires", "[async_worker]") {
    fixture f;
    auto jobs = f.coroutines();
    jobs.enqueue(note{1, ""}).value();
    std::atomic<int> started{0};
    pgq::async_worker w{jobs, {.grace = 50ms}, [&](const note&, pgq::context& c) -> asio::awaitable<pgq::outcome> {
                            ++started;
                            while (!c.stop_token().stop_requested()) co_await nap(1ms);
                            co_return pgq::release{};
                        }};
    running run{w};
    REQUIRE(test::eventually([&] { return started == 1; }));
    run.stop();
    CHECK(f.db.leased() == 0);
    CHECK(f.db.rows("ready") == 1);
}

TEST_CASE("an async_worker whose connections break goes on, and loses no job and runs none twice",
          "[async_worker][direct]") {
    fixture f;
    auto client = f.coroutines();
    auto jobs = f.coroutines(f.db.schema() + "_w");
    client.enqueue(test::notes(20)).value();
    pgq::async_worker w{jobs, {.poll_interval = 1h}, [&](const note& n, pgq::context& c) -> asio::awaitable<void> {
                            co_await nap(5ms);
                            f.run_log.add(n.n, c);
                        }};
    running run{w};
    REQUIRE(test::eventually([&] { return f.run_log.size() >= 5; }));
    for (int i = 0; i < 3; ++i) {
        const int restored = f.seen->restored;
        (void)f.db.end_sessions(f.db.schema() + "_w");
        REQUIRE(test::eventually([&] { return f.seen->restored > restored; }));
    }
    REQUIRE(test::eventually([&] { return f.db.is_empty(); }));
    CHECK(f.run_log.each_ran_once(20));
    REQUIRE(test::eventually([&] { return f.db.subscribed_workers() == 1; }));
    client.enqueue(note{20, ""}).value();
    CHECK(test::eventually([&] { return f.run_log.each_ran_once(21) && f.db.is_empty(); }));
    run.stop();
    CHECK(f.db.has_no_worker());
}

TEST_CASE("an async_worker that was taken for dead fires its handlers' stop tokens and registers again",
          "[async_worker]") {
    fixture f;
    auto jobs = f.coroutines();
    jobs.enqueue(note{1, ""}).value();
    std::atomic<int> started{0}, reported{0};
    pgq::async_worker w{
        jobs, {.lease_time = 300ms, .poll_interval = 1h}, [&](const note& n, pgq::context& c) -> asio::awaitable<void> {
            if (c.attempt() > 1) co_return (void) f.run_log.add(n.n, c);
            ++started;
            while (!c.stop_token().stop_requested()) co_await nap(1ms);
            ++reported;
        }};
    running run{w};
    REQUIRE(test::eventually([&] { return started == 1; }));
    // What the rescue of a peer does.
    auto rescuer = f.db.driver().connect(pgq::session_role::monitor).value();
    f.db.exec("UPDATE {s}.worker SET heartbeat_at = heartbeat_at - interval '1 hour'");
    REQUIRE(rescuer.rescue().value().returned == 1);
    CHECK(test::eventually([&] { return reported == 1; }));
    CHECK(test::eventually([&] { return f.run_log.size() == 1 && f.db.is_empty(); }));
    run.stop();
    CHECK(f.seen->lost == 1);
}

TEST_CASE("an async_worker that cannot start ends with the error", "[async_worker]") {
    fixture f;
    const auto handler = [](const note&) -> asio::awaitable<void> { co_return; };
    SECTION("no schema") {
        auto options = f.db.options();
        options.schema = test::fresh_schemas::next();
        coroutine_queue jobs{asio_libpq{f.context.executor(), options}};
        pgq::async_worker w{jobs, handler};
        test::outcome<> end;
        w.async_run(end.handler());
        CHECK(end.error() == pgq::errc::schema_missing);
        CHECK(w.last_error().hint.find("install()") != std::string::npos);
    }
    SECTION("an option out of its range") {
        auto jobs = f.coroutines();
        pgq::async_worker w{jobs, {.max_attempts = 0}, handler};
        test::outcome<> end;
        w.async_run(end.handler());
        CHECK(end.error() == pgq::errc::invalid_option);
        CHECK(w.last_error() == pgq::errc::invalid_option);
    }
}

TEST_CASE("one coroutine enqueues, runs a worker and ends it by a timeout", "[async_worker]") {
    using namespace asio::experimental::awaitable_operators;
    fixture f;
    auto jobs = f.coroutines();
    pgq::async_worker w{jobs, [&](const note& n, pgq::context& c) -> asio::awaitable<void> {
                            f.run_log.add(n.n, c);
                            if (n.n < 5) {
                                const note next{n.n + 1, ""};
                                co_await jobs.async_enqueue(next, asio::use_awaitable);
                            }
                        }};
    const auto program = [&]() -> asio::awaitable<void> {
        const note first{1, ""};
        co_await jobs.async_enqueue(first, asio::use_awaitable);
        const auto all_ran = [&]() -> asio::awaitable<void> {
            while (f.run_log.size() < 5) co_await nap(1ms);
        };
        co_await (w.async_run(asio::use_awaitable) || all_ran());
    };
    asio::co_spawn(f.context.executor(), program(), asio::use_future).get();
    CHECK(f.run_log.each_ran_once(5));
    CHECK(f.is_over());
}

}  // namespace integration_asio_worker
