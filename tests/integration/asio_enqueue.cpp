#include <pgq/driver/asio_libpq.hpp>
#include <pgq/queue.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace integration_asio_enqueue {

using namespace std::chrono_literals;

namespace {

using pgq::driver::asio_libpq;
using test::note;
using note_queue = pgq::queue<pgq::job<note>, asio_libpq, pgq::serializer::json, pgq::executor::thread_pool>;

struct fixture {
    note_queue queue(pgq::driver::connection_options options, std::string name = "default") {
        return note_queue{asio_libpq{context.executor(), std::move(options)}, {.name = std::move(name)}};
    }
    note_queue queue() { return queue(db.options()); }

    /// Breaks the queue's connections.
    void cut_connections() const { (void)db.end_sessions(); }

    std::int64_t connections() const { return db.count_sessions(); }

    test::database db;
    test::running_context context;
};

}  // namespace

TEST_CASE("co_await async_enqueue returns one id for a job and all ids for a range", "[queue][async_enqueue]") {
    fixture f;
    auto jobs = f.queue();
    const auto program = [&]() -> asio::awaitable<std::vector<pgq::job_id>> {
        const note n{1, "one"};
        std::vector<pgq::job_id> ids;
        ids.push_back(co_await jobs.async_enqueue(n, asio::use_awaitable));
        ids.push_back(co_await jobs.async_enqueue(n, {.priority = 3, .run_at = pgq::in(1h)}, asio::use_awaitable));
        const auto many = test::notes(5);
        const auto more = co_await jobs.async_enqueue(many, {.priority = -1}, asio::use_awaitable);
        ids.insert(ids.end(), more.begin(), more.end());
        co_return ids;
    };
    const auto ids = asio::co_spawn(f.context.executor(), program(), asio::use_future).get();
    REQUIRE(ids.size() == 7);
    CHECK(std::is_sorted(ids.begin(), ids.end()));
    CHECK(f.db.rows("ready") == 6);
    CHECK(f.db.rows("deferred") == 1);
}

TEST_CASE("calls that are made at once complete in order, each with its own id",
          "[queue][async_enqueue][direct][undisturbed]") {
    fixture f;
    auto jobs = f.queue();
    std::vector<std::pair<int, pgq::job_id>> answers;
    std::promise<void> all;
    for (int i = 0; i < 200; ++i) {
        jobs.async_enqueue(note{i, ""}, [&, i](std::error_code e, pgq::job_id id) {
            CHECK_FALSE(e);
            answers.emplace_back(i, id);
            if (answers.size() == 200) all.set_value();
        });
    }
    all.get_future().get();
    CHECK(std::is_sorted(answers.begin(), answers.end()));
    CHECK(std::is_sorted(answers.begin(), answers.end(), [](auto& a, auto& b) { return a.second < b.second; }));
    CHECK(f.db.rows("ready") == 200);
    CHECK(f.db.count_sessions() == 1);
}

TEST_CASE("several threads and the blocking enqueue may use one queue", "[queue][async_enqueue]") {
    fixture f;
    auto jobs = f.queue();
    std::atomic<int> failed{0};
    const auto enqueue = [&] {
        for (int i = 0; i < 50; ++i) {
            try {
                (void)jobs.async_enqueue(note{i, ""}, asio::use_future).get();
                if (!jobs.enqueue(note{i, ""})) ++failed;
            } catch (const std::system_error&) { ++failed; }
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) threads.emplace_back(enqueue);
    for (auto& t : threads) t.join();
    CHECK(failed == 0);
    CHECK(f.db.rows("ready") == 300);
}

TEST_CASE("async_enqueue copies its arguments before it returns", "[queue][async_enqueue]") {
    fixture f;
    auto jobs = f.queue();
    std::optional<std::future<pgq::job_id>> answer;
    {
        const std::string name(30, 'n'), value(2000, 'v');
        const std::array<pgq::header, 2> headers{{{name, value}, {"other", ""}}};
        const note n{1, std::string(2000, 't')};
        answer = jobs.async_enqueue(n, {.headers = headers}, asio::use_future);
    }
    const auto id = answer->get();
    test::run_log run_log;
    test::run_until_empty(jobs, {}, [&](const note& n, pgq::context& c) { run_log.add(n.n, c, n.text); });
    REQUIRE(run_log.size() == 1);
    const auto seen = run_log.all()[0];
    CHECK(seen.id == id);
    CHECK(seen.text == std::string(2000, 't'));
    auto headers = seen.headers;
    std::sort(headers.begin(), headers.end());
    CHECK(headers == std::vector<std::pair<std::string, std::string>>{{std::string(30, 'n'), std::string(2000, 'v')},
                                                                      {"other", ""}});
}

TEST_CASE("async_enqueue of an empty range succeeds without a round trip", "[queue][async_enqueue]") {
    fixture f;
    auto jobs = f.queue({.conninfo = "host=/nowhere"});
    CHECK(jobs.async_enqueue(std::vector<note>{}, asio::use_future).get().empty());
}

TEST_CASE("a call that fails reports why, and does not affect the next call", "[queue][async_enqueue]") {
    fixture f;
    const auto error_of = [](note_queue& jobs, const note& n) {
        return asio::co_spawn(
                   jobs.driver().get_executor(),
                   [&]() -> asio::awaitable<std::error_code> {
                       constexpr auto token = asio::experimental::as_tuple(asio::use_awaitable);
                       const auto answer = co_await jobs.async_enqueue(n, token);
                       co_return std::get<0>(answer);
                   },
                   asio::use_future)
            .get();
    };
    SECTION("a payload that is too large") {
        auto options = f.db.options();
        options.max_payload = 100;
        auto jobs = f.queue(options);
        CHECK(error_of(jobs, {1, std::string(200, 'x')}) == pgq::errc::payload_too_large);
        CHECK(jobs.last_async_error().hint.find("max_payload") != std::string::npos);
        CHECK(error_of(jobs, {1, ""}) == std::error_code{});
    }
    SECTION("an invalid name") {
        auto jobs = f.queue(f.db.options(), "");
        CHECK(error_of(jobs, {}) == pgq::errc::invalid_name);
    }
    SECTION("a schema that is missing at first") {
        auto options = f.db.options();
        options.schema = test::fresh_schemas::next();
        auto jobs = f.queue(options);
        CHECK(error_of(jobs, {}) == pgq::errc::schema_missing);
        jobs.install().value();
        CHECK(error_of(jobs, {}) == std::error_code{});
    }
    SECTION("a connection that breaks between two calls") {
        auto jobs = f.queue();
        CHECK(error_of(jobs, {1, ""}) == std::error_code{});
        f.cut_connections();
        REQUIRE(test::eventually([&] { return f.connections() == 0; }));
        // The server forgets a session before it closes the socket, so the first call may still find the connection
        // broken.
        CHECK(test::eventually([&] { return error_of(jobs, {2, ""}) == std::error_code{}; }));
        CHECK(f.db.rows("ready") == 2);
    }
}

TEST_CASE("a connection that breaks during a call fails only that call", "[queue][async_enqueue][direct]") {
    fixture f;
    auto jobs = f.queue();
    (void)jobs.async_enqueue(note{0, ""}, asio::use_future).get();
    const test::sql_connection blocker{test::dsn(), f.db.schema()};
    (void)blocker.exec("BEGIN; LOCK TABLE {s}.ready IN ACCESS EXCLUSIVE MODE");
    test::outcome<pgq::job_id> first;
    jobs.async_enqueue(note{1, ""}, first.handler());
    auto second = jobs.async_enqueue(note{2, ""}, asio::use_future);
    REQUIRE(test::eventually([&] { return f.db.count_sessions("wait_event_type = 'Lock'") == 1; }));
    f.cut_connections();
    CHECK(first.error() == pgq::condition::transient);
    (void)blocker.exec("ROLLBACK");
    CHECK(second.get().value > 0);
    CHECK(f.db.rows("ready") == 2);
}

TEST_CASE("a cancelled call that waits in line enqueues nothing and delays no other call", "[queue][async_enqueue]") {
    fixture f;
    auto jobs = f.queue();
    (void)jobs.async_enqueue(note{0, ""}, asio::use_future).get();
    const test::sql_connection blocker{test::dsn(), f.db.schema()};
    (void)blocker.exec("BEGIN; LOCK TABLE {s}.ready IN ACCESS EXCLUSIVE MODE");
    const auto kind = GENERATE(asio::cancellation_type::terminal, asio::cancellation_type::total);
    asio::cancellation_signal signal;
    test::outcome<pgq::job_id> second;
    auto first = jobs.async_enqueue(note{1, ""}, asio::use_future);
    jobs.async_enqueue(note{2, ""}, asio::bind_cancellation_slot(signal.slot(), second.handler()));
    auto third = jobs.async_enqueue(note{3, ""}, asio::use_future);
    asio::post(f.context.executor(), [&] { signal.emit(kind); });
    CHECK(second.error() == asio::error::operation_aborted);
    (void)blocker.exec("ROLLBACK");
    (void)first.get();
    (void)third.get();
    CHECK(f.db.rows("ready") == 3);
}

TEST_CASE("a call that is cancelled after it was sent closes the connection, and the next call opens a new one",
          "[queue][async_enqueue]") {
    using namespace asio::experimental::awaitable_operators;
    fixture f;
    auto jobs = f.queue();
    (void)jobs.async_enqueue(note{0, ""}, asio::use_future).get();
    const test::sql_connection blocker{test::dsn(), f.db.schema()};
    (void)blocker.exec("BEGIN; LOCK TABLE {s}.ready IN ACCESS EXCLUSIVE MODE");
    const auto program = [&]() -> asio::awaitable<std::size_t> {
        asio::steady_timer deadline{f.context.executor(), 50ms};
        const note n{1, ""};
        auto either = co_await (jobs.async_enqueue(n, asio::use_awaitable) || deadline.async_wait(asio::use_awaitable));
        co_return either.index();
    };
    CHECK(asio::co_spawn(f.context.executor(), program(), asio::use_future).get() == 1);
    (void)blocker.exec("ROLLBACK");
    CHECK(jobs.async_enqueue(note{2, ""}, asio::use_future).get().value > 0);
}

TEST_CASE("the end of a context destroys the calls that wait in line", "[queue][async_enqueue]") {
    test::database db;
    const test::sql_connection blocker{test::dsn(), db.schema()};
    (void)blocker.exec("BEGIN; LOCK TABLE {s}.ready IN ACCESS EXCLUSIVE MODE");
    const auto token = std::make_shared<int>(1);
    {
        asio::io_context context;
        note_queue jobs{asio_libpq{context.get_executor(), db.options()}};
        for (int i = 0; i < 3; ++i) jobs.async_enqueue(note{i, ""}, [token](std::error_code, pgq::job_id) {});
        context.run_for(50ms);
        CHECK(token.use_count() == 4);
        jobs = note_queue{asio_libpq{context.get_executor(), db.options()}};
    }
    CHECK(token.use_count() == 1);
    (void)blocker.exec("ROLLBACK");
}

}  // namespace integration_asio_enqueue
