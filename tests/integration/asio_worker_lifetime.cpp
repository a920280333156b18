#include <pgq/async_worker.hpp>
#include <pgq/driver/asio_libpq.hpp>
#include <pgq/driver/pool.hpp>
#include <pgq/executor/coroutine.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace integration_asio_worker_lifetime {

using namespace std::chrono_literals;

namespace {

using pgq::driver::asio_libpq;
using test::note;

using coroutine_queue = pgq::queue<pgq::job<note>, asio_libpq, pgq::serializer::json, pgq::executor::coroutine>;

/// A server that accepts connections and never sends anything.
class silent_server {
public:
    silent_server() : listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        sockaddr_in here{};
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof here;
        if (::bind(listener_, reinterpret_cast<sockaddr*>(&here), size) != 0 || ::listen(listener_, 8) != 0 ||
            ::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size) != 0)
            throw std::runtime_error{"no silent server"};
        port_ = ntohs(here.sin_port);
    }
    silent_server(const silent_server&) = delete;
    silent_server& operator=(const silent_server&) = delete;
    ~silent_server() {
        if (client_ >= 0) ::close(client_);
        ::close(listener_);
    }

    pgq::driver::connection_options options(pgq::duration response_timeout) const {
        return {.conninfo = "host=127.0.0.1 sslmode=disable gssencmode=disable port=" + std::to_string(port_),
                .response_timeout = response_timeout};
    }
    /// Blocks until a client has sent its first message.
    void await_client() {
        client_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        char first = 0;
        if (::recv(client_, &first, 1, 0) != 1) throw std::runtime_error{"no client"};
    }

private:
    int listener_;
    int client_ = -1;
    int port_ = 0;
};

/// Locks the table of workers for all other sessions.
class locked_workers {
public:
    explicit locked_workers(const test::database& db) : sql_{test::dsn(), db.schema()} {
        sql_.exec("BEGIN; LOCK TABLE {s}.worker IN ACCESS EXCLUSIVE MODE");
    }
    void unlock() const { sql_.exec("ROLLBACK"); }

private:
    test::sql_connection sql_;
};

bool some_session_waits_for_a_lock(const test::database& db) {
    return db.count_sessions("wait_event_type = 'Lock'") > 0;
}

std::size_t threads_of_this_process() {
    const std::filesystem::directory_iterator tasks{"/proc/self/task"};
    return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

/// Counts the threads of the process whenever the worker reports something from its own thread, or claims jobs.
struct thread_counter {
    using policy_category = pgq::observer_tag;
    struct counts {
        std::size_t most = 0;
        int started = 0, restored = 0, stopped = 0;
    };

    void on(const pgq::event::worker_started&) { count(), ++seen->started; }
    void on(const pgq::event::jobs_claimed&) { count(); }
    void on(const pgq::event::connection_failed&) { count(); }
    void on(const pgq::event::connection_restored&) { count(), ++seen->restored; }
    void on(const pgq::event::worker_stopped&) { count(), ++seen->stopped; }
    void count() const { seen->most = std::max(seen->most, threads_of_this_process()); }

    std::shared_ptr<counts> seen = std::make_shared<counts>();
};

asio::awaitable<void> sleep_for(pgq::duration d) {
    asio::steady_timer timer{co_await asio::this_coro::executor, d};
    co_await timer.async_wait(asio::use_awaitable);
}

const auto no_work = [](const note&) -> asio::awaitable<void> { co_return; };

/// A context without a thread: the test runs it until a condition holds.
template <class Condition>
bool run_until(asio::io_context& context, Condition holds) {
    return test::eventually([&] {
        context.restart();
        (void)context.poll();
        return holds();
    });
}

}  // namespace

TEST_CASE("an async_worker on a context with one thread has no other thread than its heartbeat",
          "[async_worker][threads][direct][undisturbed]") {
    using counting_queue =
        pgq::queue<pgq::job<note>, asio_libpq, pgq::serializer::json, pgq::executor::coroutine, thread_counter>;
    test::database db;
    const thread_counter threads;
    asio::io_context context;
    counting_queue jobs{asio_libpq{context.get_executor(), db.options()},
                        {},
                        pgq::executor::coroutine{context.get_executor(), 4},
                        threads};
    std::thread{[] {}}.join();  // with the first thread the thread sanitizer starts one of its own
    const std::size_t before = threads_of_this_process();
    test::run_log run_log;
    pgq::async_worker w{jobs, {.poll_interval = 1h}, [&](const note& n, pgq::context& c) -> asio::awaitable<void> {
                            threads.count();
                            co_await sleep_for(1ms);
                            run_log.add(n.n, c);
                        }};
    std::optional<std::error_code> end;
    w.async_run([&](std::error_code e) { end = e; });
    REQUIRE(run_until(context, [&] { return db.subscribed_workers() == 1; }));
    test::note_queue<>{db.driver()}.enqueue(test::notes(10)).value();
    REQUIRE(run_until(context, [&] { return run_log.each_ran_once(10) && db.is_empty(); }));
    // All steps that follow a lost connection.
    (void)db.end_sessions();
    REQUIRE(run_until(context, [&] { return threads.seen->restored == 1; }));
    w.stop();
    REQUIRE(run_until(context, [&] { return end.has_value(); }));
    CHECK_FALSE(*end);
    CHECK(threads.seen->started == 1);
    CHECK(threads.seen->stopped == 1);
    CHECK(threads.seen->most == before + 1);
    CHECK(threads_of_this_process() == before);
    CHECK(db.has_no_worker());
}

TEST_CASE("an async_worker that is stopped while it connects ends at once, without an error",
          "[async_worker][lifetime]") {
    silent_server server;
    test::running_context context;
    coroutine_queue jobs{asio_libpq{context.executor(), server.options(1h)}};
    pgq::async_worker w{jobs, no_work};
    test::outcome<> end;
    w.async_run(end.handler());
    server.await_client();
    w.stop();
    REQUIRE(end.comes_within(10s));
    CHECK_FALSE(end.error());
}

TEST_CASE("an async_worker whose server is silent fails in time, and the context goes on meanwhile",
          "[async_worker][lifetime][undisturbed]") {
    test::running_context context;
    const auto answers = [&] {
        return asio::post(context.executor(), asio::use_future).wait_for(100ms) == std::future_status::ready;
    };
    test::outcome<> end;
    SECTION("while it connects") {
        silent_server server;
        coroutine_queue jobs{asio_libpq{context.executor(), server.options(300ms)}};
        pgq::async_worker w{jobs, {.connect_timeout = 0s}, no_work};
        w.async_run(end.handler());
        server.await_client();
        CHECK(test::always(150ms, answers));
        CHECK(end.error() == pgq::errc::connection_lost);
        CHECK(w.last_error().message.ends_with("did not answer in time"));
    }
    SECTION("while it registers; then it runs again") {
        const test::database db;
        auto options = db.options();
        options.response_timeout = 1s;
        coroutine_queue jobs{asio_libpq{context.executor(), options}, {}, pgq::executor::coroutine{context.executor()}};
        pgq::async_worker w{jobs, {.connect_timeout = 0s, .until = pgq::run_until::empty}, no_work};
        {
            const locked_workers lock{db};
            w.async_run(end.handler());
            REQUIRE(test::eventually([&] { return some_session_waits_for_a_lock(db); }));
            CHECK(answers());
            CHECK(end.error() == pgq::make_sqlstate("57014"));
        }
        jobs.enqueue(test::notes(3)).value();
        test::outcome<> second;
        w.async_run(second.handler());
        CHECK_FALSE(second.error());
        CHECK(db.is_empty());
    }
}

TEST_CASE("an async_worker that is stopped while it registers waits for the answer and retires",
          "[async_worker][lifetime]") {
    const test::database db;
    test::running_context context;
    coroutine_queue jobs{
        asio_libpq{context.executor(), db.options()}, {}, pgq::executor::coroutine{context.executor()}};
    pgq::async_worker w{jobs, no_work};
    const locked_workers lock{db};
    test::outcome<> end;
    w.async_run(end.handler());
    REQUIRE(test::eventually([&] { return some_session_waits_for_a_lock(db); }));
    w.stop();
    CHECK_FALSE(end.comes_within(50ms));
    lock.unlock();
    CHECK_FALSE(end.error());
    CHECK(db.has_no_worker());
}

TEST_CASE("a context may be destroyed while an async_worker connects, registers or waits",
          "[async_worker][lifetime][direct]") {
    const std::string when = GENERATE("connects", "registers", "waits");
    CAPTURE(when);
    const test::database db;
    silent_server server;
    const locked_workers lock{db};
    if (when == "waits") lock.unlock();
    auto context = std::make_unique<asio::io_context>();
    const auto options = when == "connects" ? server.options(1h) : db.options();
    coroutine_queue jobs{
        asio_libpq{context->get_executor(), options}, {}, pgq::executor::coroutine{context->get_executor()}};
    pgq::async_worker w{jobs, {.lease_time = 100ms}, no_work};
    auto token = std::make_shared<int>(1);
    w.async_run([token](std::error_code) {});
    const std::weak_ptr<int> handler = std::exchange(token, nullptr);
    REQUIRE(run_until(*context, [&] {
        if (when == "connects") return context->run_one_for(1ms) == 0;
        return when == "registers" ? some_session_waits_for_a_lock(db) : db.subscribed_workers() == 1;
    }));
    CHECK_FALSE(handler.expired());
    context.reset();
    CHECK(handler.expired());
}

TEST_CASE("the end of an async_worker blocks its context neither for a handler nor for the heartbeat",
          "[async_worker][lifetime][direct]") {
    const test::database db;
    test::running_context context;
    coroutine_queue jobs{
        asio_libpq{context.executor(), db.options()}, {}, pgq::executor::coroutine{context.executor()}};
    const auto answers = [&] {
        return asio::post(context.executor(), asio::use_future).wait_for(5s) == std::future_status::ready;
    };
    std::atomic<bool> started{false}, go{false};
    pgq::async_worker w{jobs, {.lease_time = 300ms, .grace = {}}, [&](const note&) -> asio::awaitable<void> {
                            started = true;
                            while (!go) co_await sleep_for(1ms);
                        }};
    test::outcome<> end;
    SECTION("a handler that goes on after the grace time") {
        jobs.enqueue(note{1, ""}).value();
        w.async_run(end.handler());
        REQUIRE(test::eventually([&] { return started.load(); }));
        w.stop();
        REQUIRE(test::eventually([&] { return db.rows("ready") == 1; }));  // the worker has given the job back
        CHECK(test::always(100ms, answers));
        CHECK_FALSE(end.comes_within(0ms));
        go = true;
    }
    SECTION("a heartbeat whose statement waits") {
        w.async_run(end.handler());
        REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
        const test::sql_connection blocker{test::dsn(), db.schema()};
        blocker.exec("BEGIN; SELECT FROM {s}.worker FOR UPDATE");
        REQUIRE(test::eventually([&] { return some_session_waits_for_a_lock(db); }));
        w.stop();
        CHECK(test::always(100ms, answers));
        CHECK_FALSE(end.comes_within(0ms));
        blocker.exec("COMMIT");
    }
    REQUIRE(end.comes_within(20s));
    CHECK_FALSE(end.error());
    CHECK(db.has_no_worker());
    CHECK(db.leased() == 0);
}

TEST_CASE("an async_worker works with the sessions of a pool's inner driver", "[async_worker][pool]") {
    using pooled_queue =
        pgq::queue<pgq::job<note>, pgq::driver::pool<asio_libpq>, pgq::serializer::json, pgq::executor::coroutine>;
    const test::database db;
    test::running_context context;
    pooled_queue jobs{pgq::driver::pool{asio_libpq{context.executor(), db.options()}},
                      {},
                      pgq::executor::coroutine{context.executor()}};
    jobs.enqueue(test::notes(5)).value();
    pgq::async_worker w{jobs, {.until = pgq::run_until::empty}, no_work};
    w.async_run(asio::use_future).get();
    CHECK(db.is_empty());
    CHECK(jobs.driver().counts().lent == 0);
}

}  // namespace integration_asio_worker_lifetime
