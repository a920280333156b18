#include <pgq/driver/asio_libpq.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/proxy.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace integration_asio_session {

using namespace std::chrono_literals;
using pgq::session_role;
using pgq::wake_reason;
using pgq::driver::asio_libpq;

namespace {

using session = asio_libpq::session;

pgq::bodies packed(std::size_t count, const std::string& text) {
    pgq::bodies all;
    for (std::size_t i = 0; i < count; ++i) all.bytes().append(text), all.close();
    return all;
}

pgq::lane_id some_lane(session& s) {
    const pgq::lane_name name{.entrypoint = "job"};
    return s.lanes("default", std::span{&name, 1}).value().front();
}

/// Locks the table of ready jobs for all other sessions.
class locked_ready {
public:
    explicit locked_ready(const test::database& db) : sql_{db.conninfo(), db.schema()} {
        (void)sql_.exec("BEGIN; LOCK TABLE {s}.ready IN ACCESS EXCLUSIVE MODE");
    }
    void unlock() { (void)sql_.exec("ROLLBACK"); }

private:
    test::sql_connection sql_;
};

bool somebody_waits_for_a_lock(const test::database& db) { return db.count_sessions("wait_event_type = 'Lock'") == 1; }

const pgq::enqueue_options plain{};

}  // namespace

TEST_CASE("one coroutine connects and uses a session without another thread", "[driver][asio_libpq]") {
    test::database db;
    asio::io_context context;
    const auto program = [&]() -> asio::awaitable<std::size_t> {
        asio_libpq driver{context.get_executor(), test::database::unbroken(db.options())};
        auto s = co_await driver.async_connect(session_role::worker, asio::use_awaitable);
        const auto lane = some_lane(s);
        const auto worker = s.register_worker({.host = "", .pid = 1, .version = "", .lease_time = 1min, .lanes = {}});
        const auto all = packed(3, "x");
        const pgq::enqueue_request wanted{.lane = lane, .bodies = &all, .options = {&plain, 1}};
        std::vector<pgq::job_id> ids;
        co_await s.async_enqueue(wanted, ids, asio::use_awaitable);
        const pgq::claim_lane from{.lane = lane, .max_attempts = 1};
        const pgq::sync_request claim{.worker = worker.value(), .lanes = {&from, 1}, .limit = 2};
        pgq::sync_reply reply;
        co_await s.async_sync(claim, reply, asio::use_awaitable);
        CHECK(ids.size() == 3);
        CHECK((co_await s.async_wait(1ms, asio::use_awaitable)) == wake_reason::timeout);
        co_return reply.claimed();
    };
    auto claimed = asio::co_spawn(context, program(), asio::use_future);
    context.run();
    CHECK(claimed.get() == 2);
}

TEST_CASE("a session sends megabytes while it receives megabytes", "[driver][asio_libpq]") {
    test::database db;
    test::running_context context;
    asio_libpq driver{context.executor(), test::database::unbroken(db.options())};
    auto s = driver.async_connect(session_role::worker, asio::use_future).get();
    const auto lane = some_lane(s);
    const auto worker = s.register_worker({.host = "", .pid = 1, .version = "", .lease_time = 1min, .lanes = {}});
    const auto all = packed(12, std::string(1 << 20, 'x'));
    std::vector<pgq::job_id> ids;
    s.async_enqueue({.lane = lane, .bodies = &all, .options = {&plain, 1}}, ids, asio::use_future).get();
    const pgq::claim_lane from{.lane = lane, .max_attempts = 1};
    pgq::sync_reply reply;
    s.async_sync({.worker = worker.value(), .lanes = {&from, 1}, .limit = 20}, reply, asio::use_future).get();
    REQUIRE(reply.claimed() == 12);
    CHECK(reply.leases[0].jobs[11].body == all[11]);
}

TEST_CASE("completion handlers run on their own executor, never inside the initiating function",
          "[driver][asio_libpq]") {
    test::database db;
    asio::io_context context;
    asio_libpq driver{asio::make_strand(context), test::database::unbroken(db.options())};
    auto s = driver.connect(session_role::client).value();
    const pgq::bodies nothing;
    std::vector<pgq::job_id> ids;
    bool called = false;
    SECTION("the executor of the driver") {
        s.async_enqueue({.lane = {}, .bodies = &nothing, .options = {}}, ids, [&](std::error_code e) {
            CHECK_FALSE(e);
            called = true;
        });
        CHECK_FALSE(called);
        context.run();
    }
    SECTION("another executor") {
        test::running_context elsewhere;
        const auto strand = asio::make_strand(elsewhere.executor());
        s.async_wait(1ms, asio::bind_executor(strand, [&](std::error_code e, wake_reason) {
                         CHECK_FALSE(e);
                         called = strand.running_in_this_thread();
                     }));
        context.run();
    }
    CHECK(called);
}

TEST_CASE("a cancelled wait does not change its session", "[driver][asio_libpq]") {
    test::database db;
    test::running_context context;
    asio_libpq driver{context.executor(), test::database::unbroken(db.options())};
    auto s = driver.connect(session_role::client).value();
    const auto kind =
        GENERATE(asio::cancellation_type::terminal, asio::cancellation_type::partial, asio::cancellation_type::total);
    asio::cancellation_signal signal;
    test::outcome<wake_reason> end;
    s.async_wait(1h, asio::bind_cancellation_slot(signal.slot(), end.handler()));
    asio::post(context.executor(), [&] { signal.emit(kind); });
    CHECK(end.error() == asio::error::operation_aborted);
    CHECK(s.async_wait(1ms, asio::use_future).get() == wake_reason::timeout);
    CHECK(some_lane(s).value > 0);
}

TEST_CASE("only terminal cancellation of a call closes its session", "[driver][asio_libpq]") {
    test::database db;
    test::running_context context;
    asio_libpq driver{context.executor(), test::database::unbroken(db.options())};
    auto s = driver.connect(session_role::client).value();
    const auto all = packed(1, "x");
    const pgq::enqueue_request wanted{.lane = some_lane(s), .bodies = &all, .options = {&plain, 1}};
    std::vector<pgq::job_id> ids;
    locked_ready lock{db};
    asio::cancellation_signal signal;
    test::outcome<> end;
    s.async_enqueue(wanted, ids, asio::bind_cancellation_slot(signal.slot(), end.handler()));
    REQUIRE(test::eventually([&] { return somebody_waits_for_a_lock(db); }));
    const auto emit = [&](asio::cancellation_type kind) {
        asio::post(context.executor(), asio::use_future([&, kind] { signal.emit(kind); })).get();
    };
    emit(asio::cancellation_type::total);
    CHECK_FALSE(end.comes_within(50ms));
    SECTION("total cancellation: the call goes on") {
        lock.unlock();
        CHECK_FALSE(end.error());
        CHECK(ids.size() == 1);
    }
    SECTION("terminal cancellation: the session is closed") {
        emit(asio::cancellation_type::terminal);
        CHECK(end.error() == asio::error::operation_aborted);
        CHECK_FALSE(s.usable());
        const auto again = s.enqueue(wanted, ids);
        REQUIRE_FALSE(again);
        CHECK(again.error() == pgq::errc::connection_lost);
    }
}

TEST_CASE("a session is lost if its server does not answer in time", "[driver][asio_libpq]") {
    test::database db;
    test::running_context context;
    test::proxy between;
    auto options = between.options(db);
    options.response_timeout = 1s;
    asio_libpq driver{context.executor(), options};
    auto s = driver.connect(session_role::client).value();
    const auto all = packed(1, "x");
    const pgq::enqueue_request wanted{.lane = some_lane(s), .bodies = &all, .options = {&plain, 1}};
    std::vector<pgq::job_id> ids;
    between.freeze_host();
    test::outcome<> end;
    s.async_enqueue(wanted, ids, end.handler());
    CHECK(end.error() == pgq::errc::connection_lost);
    CHECK(s.last_error().message == "the server did not answer in time");
    CHECK_FALSE(s.usable());
}

TEST_CASE("a statement that waits for too long is cancelled, and the session still works", "[driver][asio_libpq]") {
    test::database db;
    test::running_context context;
    auto options = test::database::unbroken(db.options());
    options.response_timeout = 1s;
    asio_libpq driver{context.executor(), options};
    auto s = driver.connect(session_role::client).value();
    const auto all = packed(1, "x");
    const pgq::enqueue_request wanted{.lane = some_lane(s), .bodies = &all, .options = {&plain, 1}};
    std::vector<pgq::job_id> ids;
    {
        const locked_ready lock{db};
        test::outcome<> end;
        s.async_enqueue(wanted, ids, end.handler());
        CHECK(end.error() == pgq::make_sqlstate("57014"));
        CHECK(s.last_error().message == "the server did not answer in time, and the statement was cancelled");
    }
    CHECK(s.usable());
    s.async_enqueue(wanted, ids, asio::use_future).get();
    CHECK(ids.size() == 1);
}

TEST_CASE("a refused statement is an error, and the session still works", "[driver][asio_libpq]") {
    test::database db;
    test::running_context context;
    asio_libpq driver{context.executor(), test::database::unbroken(db.options())};
    auto s = driver.async_connect(session_role::client, asio::use_future).get();
    const auto lane = some_lane(s);
    const auto all = packed(1, "x");
    std::vector<pgq::job_id> ids;
    db.exec("ALTER TABLE {s}.ready RENAME TO away");
    test::outcome<> end;
    s.async_enqueue({.lane = lane, .bodies = &all, .options = {&plain, 1}}, ids, end.handler());
    CHECK(end.error() == pgq::make_sqlstate("42P01"));
    CHECK(s.last_error().statement == "enqueue_one");
    db.exec("ALTER TABLE {s}.away RENAME TO ready");
    s.async_enqueue({.lane = lane, .bodies = &all, .options = {&plain, 1}}, ids, asio::use_future).get();
    CHECK(ids.size() == 1);
}

TEST_CASE("the end of the server is an error of a wait and of a sync", "[driver][asio_libpq][direct]") {
    test::database db;
    test::running_context context;
    asio_libpq driver{context.executor(), test::database::unbroken(db.options())};
    auto s = driver.connect(session_role::client).value();
    const auto kill = "SELECT pg_terminate_backend(" + std::to_string(PQbackendPID(s.line().get())) + ")";
    const auto all = packed(1, "x");
    std::vector<pgq::job_id> ids;
    SECTION("while the session waits") {
        test::outcome<wake_reason> end;
        s.async_wait(1h, end.handler());
        db.exec(kill);
        CHECK(end.error() == pgq::errc::connection_lost);
    }
    SECTION("while the session is idle") {
        db.exec(kill);
        REQUIRE(test::eventually([&] { return !s.usable(); }));
        test::outcome<> end;
        s.async_enqueue({.lane = {1}, .bodies = &all, .options = {&plain, 1}}, ids, end.handler());
        CHECK(end.error() == pgq::condition::transient);
    }
}

TEST_CASE("a failed async_connect passes the session, which knows why", "[driver][asio_libpq]") {
    test::database db;
    test::running_context context;
    const auto attempt = [&](pgq::driver::connection_options options) {
        test::outcome<session> end;
        asio_libpq{context.executor(), options}.async_connect(session_role::client, end.handler());
        return end.get();
    };
    const auto [code, failed] = attempt({.conninfo = test::dsn(), .schema = test::fresh_schemas::next()});
    CHECK(code == pgq::errc::schema_missing);
    CHECK(failed.last_error().hint.find("install()") != std::string::npos);
    CHECK(std::get<0>(attempt({.conninfo = "host=/nowhere"})) == pgq::errc::connection_lost);
    CHECK(std::get<0>(attempt({.conninfo = "nonsense without"})) == pgq::errc::bad_conninfo);
}

TEST_CASE("as_tuple returns the error and the value", "[driver][asio_libpq]") {
    test::database db;
    asio::io_context context;
    const auto program = [&]() -> asio::awaitable<std::error_code> {
        constexpr auto token = asio::experimental::as_tuple(asio::use_awaitable);
        asio_libpq driver{context.get_executor(), "host=/nowhere"};
        auto failed = co_await driver.async_connect(session_role::client, token);
        asio_libpq good{context.get_executor(), test::database::unbroken(db.options())};
        auto connected = co_await good.async_connect(session_role::client, token);
        CHECK_FALSE(std::get<0>(connected));
        auto waited = co_await std::get<1>(connected).async_wait(0s, token);
        CHECK(waited == std::tuple{std::error_code{}, wake_reason::timeout});
        co_return std::get<0>(failed);
    };
    auto end = asio::co_spawn(context, program(), asio::use_future);
    context.run();
    CHECK(end.get() == pgq::errc::connection_lost);
}

TEST_CASE("a session that is used only by blocking calls may outlive its context", "[driver][asio_libpq]") {
    test::database db;
    std::optional<session> s;
    {
        asio::io_context context;
        s = asio_libpq{context.get_executor(), test::database::unbroken(db.options())}
                .connect(session_role::client)
                .value();
    }
    CHECK(some_lane(*s).value > 0);
}

TEST_CASE("the end of a context destroys the operations that run on it", "[driver][asio_libpq]") {
    test::database db;
    std::weak_ptr<int> argument;
    {
        asio::io_context context;
        asio_libpq driver{context.get_executor(), test::database::unbroken(db.options())};
        auto token = std::make_shared<int>(1);
        argument = token;
        asio::co_spawn(
            context,
            [driver, token]() -> asio::awaitable<void> {
                auto s = co_await driver.async_connect(session_role::client, asio::use_awaitable);
                (void)co_await s.async_wait(1h, asio::use_awaitable);
            },
            [](std::exception_ptr) {});
        token.reset();
        context.run_for(100ms);
        CHECK_FALSE(argument.expired());
    }
    CHECK(argument.expired());
}

}  // namespace integration_asio_session
