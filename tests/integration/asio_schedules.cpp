#include <pgq/async_worker.hpp>
#include <pgq/driver/asio_libpq.hpp>
#include <pgq/executor/coroutine.hpp>
#include <pgq/job/tick.hpp>
#include <pgq/schedule/cron.hpp>
#include <pgq/serializer/json.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/use_future.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <system_error>
#include <utility>

namespace integration_asio_schedules {

using namespace std::chrono_literals;

namespace {

using second = pgq::tick<"second">;
using queue = pgq::queue<pgq::job<second, pgq::schedule::cron<"* * * * * *", pgq::schedule::all_missed<1000>>>,
                         test::note, pgq::driver::asio_libpq, pgq::serializer::json, pgq::executor::coroutine>;

template <class Executor>
queue on(const Executor& executor, const pgq::driver::connection_options& options) {
    return queue{pgq::driver::asio_libpq{executor, options}, {}, pgq::executor::coroutine{executor, 4}};
}

/// The ticks that handlers have seen.
class ticks {
public:
    void add(const pgq::context& c) {
        const std::lock_guard lock{mutex_};
        all_.insert(c.scheduled_at().value());
    }
    std::multiset<pgq::time_point> all() const {
        const std::lock_guard lock{mutex_};
        return all_;
    }

private:
    mutable std::mutex mutex_;
    std::multiset<pgq::time_point> all_{};
};

}  // namespace

TEST_CASE("of two async_workers with a scheduled job type each second is fired once",
          "[async_worker][schedule][direct]") {
    const test::database db;
    test::running_context context{1};
    ticks seen;
    const auto handler = [&](const second&, pgq::context& c) -> asio::awaitable<void> {
        seen.add(c);
        co_return;
    };
    const auto ignore = [](const test::note&) {};
    queue one = on(context.executor(), db.options()), two = on(context.executor(), db.options());
    pgq::async_worker first{one, handler, ignore}, other{two, handler, ignore};
    auto end = first.async_run(asio::use_future), end_of_other = other.async_run(asio::use_future);
    CHECK(test::eventually([&] { return seen.all().size() >= 4; }));
    CHECK(db.query_int("SELECT count(*) FROM {s}.schedule WHERE name = 'second'") == 1);
    first.stop();
    other.stop();
    CHECK_NOTHROW(end.get());
    CHECK_NOTHROW(end_of_other.get());
    const auto all = seen.all();
    CHECK(std::set<pgq::time_point>(all.begin(), all.end()).size() == all.size());
    CHECK(*all.rbegin() - *all.begin() == std::chrono::seconds{all.size() - 1});
    CHECK(test::eventually([&] { return db.count_sessions("pid <> pg_backend_pid()") == 0; }));
}

TEST_CASE("an async_worker that cannot store its schedule ends with the error and claims nothing",
          "[async_worker][schedule]") {
    const test::database db;
    test::running_context context{1};
    auto options = db.options();
    options.schema = "no_such_schema";
    queue jobs = on(context.executor(), options);
    pgq::async_worker w{jobs, [](const second&) {}, [](const test::note&) {}};
    test::outcome<> end;
    w.async_run(end.handler());
    CHECK(end.error() == pgq::errc::schema_missing);
    CHECK(w.last_error() == pgq::errc::schema_missing);
}

TEST_CASE("an async_worker that stores its schedule lets its context go on, and a stop ends it",
          "[async_worker][schedule][lifetime]") {
    const test::database db;
    test::running_context context{1};
    const test::sql_connection lock{test::dsn(), db.schema()};
    (void)lock.exec("BEGIN; LOCK TABLE {s}.schedule");
    queue jobs = on(context.executor(), db.options());
    pgq::async_worker w{jobs, [](const second&) {}, [](const test::note&) {}};
    test::outcome<> end;
    w.async_run(end.handler());
    REQUIRE(test::eventually([&] { return db.count_sessions("wait_event_type = 'Lock'") > 0; }));
    CHECK(asio::post(context.executor(), asio::use_future([] { return 7; })).get() == 7);
    w.stop();
    CHECK_FALSE(end.error());
    CHECK(db.has_no_worker());
}

TEST_CASE("a context may be destroyed while an async_worker with a schedule runs", "[async_worker][schedule][direct]") {
    const test::database db;
    auto context = std::make_unique<asio::io_context>();
    queue jobs = on(context->get_executor(), db.options());
    pgq::async_worker w{jobs, [](const second&) {}, [](const test::note&) {}};
    auto token = std::make_shared<int>(1);
    w.async_run([token](std::error_code) {});
    const std::weak_ptr<int> handler = std::exchange(token, nullptr);
    REQUIRE(test::eventually([&] {
        context->run_for(10ms);
        return db.subscribed_workers() == 1;
    }));
    CHECK_FALSE(handler.expired());
    context.reset();
    CHECK(handler.expired());
}

}  // namespace integration_asio_schedules
