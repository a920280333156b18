#include <pgq/driver/libpq.hpp>
#include <pgq/job/tick.hpp>
#include <pgq/scheduler.hpp>
#include <pgq/worker.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/process.hpp>
#include <support/schedules.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace integration_schedules {

using namespace std::chrono_literals;
using test::check_seconds;
using test::eventually;
using test::letter;
using test::start_scheduler;

namespace {

using queue = pgq::queue<pgq::job<letter>, pgq::driver::libpq, pgq::serializer::json>;

/// A scheduler that runs on a thread until the end of the scope.
class running {
public:
    explicit running(const test::database& db, pgq::scheduler_options options = {})
        : jobs_{db.driver()}, scheduler_{jobs_, std::move(options)} {}
    template <class... Args>
    running& every(Args&&... args) {
        scheduler_.every(std::forward<Args>(args)...).value();
        return *this;
    }
    running& start() {
        thread_ = std::jthread{[this](std::stop_token stop) { outcome_ = scheduler_.run(std::move(stop)); }};
        return *this;
    }
    pgq::scheduler<queue>& get() noexcept { return scheduler_; }
    pgq::result<void> stop() {
        thread_.request_stop();
        thread_.join();
        return outcome_;
    }

private:
    queue jobs_;
    pgq::scheduler<queue> scheduler_;
    pgq::result<void> outcome_{};
    std::jthread thread_;
};

}  // namespace

TEST_CASE("of two scheduler processes that are killed in turn each second is fired once", "[integration][schedule]") {
    (void)test::fire_while_killed(8);
}

TEST_CASE("four schedulers in threads fire each second once", "[integration][schedule]") {
    const test::database db;
    std::vector<std::unique_ptr<running>> all;
    for (int i = 0; i < 4; ++i) {
        all.push_back(std::make_unique<running>(db));
        all.back()->every("* * * * * *", letter{}, pgq::schedule_options{.missed = pgq::missed::all(1000)}).start();
    }
    REQUIRE(eventually([&] { return test::count_ticks(db, "letter") >= 4; }));
    for (auto& one : all) CHECK(one->stop().has_value());
    check_seconds(db, "letter");
}

TEST_CASE("of two workers with a scheduled job type each second is fired once", "[integration][schedule][policy]") {
    using second = pgq::tick<"second">;
    using timed =
        pgq::queue<pgq::job<second, pgq::schedule::cron<"* * * * * *">>, pgq::driver::libpq, pgq::serializer::json>;
    const test::database db;
    std::mutex mutex;
    std::multiset<pgq::time_point> ticks;
    const auto count = [&] {
        const std::lock_guard lock{mutex};
        return ticks.size();
    };
    const auto work = [&](std::stop_token stop) {
        timed jobs{db.driver()};
        pgq::worker w{jobs, [&](const second&, const pgq::context& c) {
                          const std::lock_guard lock{mutex};
                          ticks.insert(c.scheduled_at().value());
                      }};
        const auto done = w.run(std::move(stop));
        const std::lock_guard lock{mutex};
        CHECK(done.has_value());
    };
    {
        const std::jthread one{work}, two{work};
        REQUIRE(eventually([&] { return count() >= 4; }));
        CHECK(db.query_int("SELECT count(*) FROM {s}.schedule WHERE name = 'second'") == 1);
    }
    CHECK(std::set<pgq::time_point>(ticks.begin(), ticks.end()).size() == ticks.size());
}

TEST_CASE("the next tick stops the handler of the former one, which learns that, and its job ends as cancelled",
          "[integration][schedule][stop]") {
    const test::database db;
    queue jobs{db.driver()};
    running one{db};
    one.every("* * * * * *", letter{},
              pgq::schedule_options{.overlap = pgq::overlap::cancel_running, .job = {.keep_outcome = 1h}});
    one.start();
    std::mutex mutex;
    std::vector<std::pair<pgq::job_id, pgq::stop_reason>> stopped;
    const auto handler = [&](const letter&, const pgq::context& c) {
        (void)eventually([&] { return c.stop_token().stop_requested(); });
        {
            const std::lock_guard lock{mutex};
            stopped.emplace_back(c.id(), c.stop_reason());
        }
        c.throw_if_stopping();
    };
    {
        test::running_worker w{jobs, {.grace = 1ms}, handler};
        REQUIRE(eventually([&] {
            const std::lock_guard lock{mutex};
            return stopped.size() >= 2;
        }));
    }
    for (const auto& [id, why] : std::span{stopped}.first(2)) {
        CHECK(why == pgq::stop_reason::schedule_overlap);
        CHECK(jobs.wait_for(id, test::test_timeout).value().kind == pgq::end_kind::cancelled);
    }
}

TEST_CASE("a worker with a scheduled job type returns the error that keeps its schedules from starting",
          "[integration][schedule][policy]") {
    const test::database db;
    using timed =
        pgq::queue<pgq::job<letter, pgq::schedule::cron<"@daily">>, pgq::driver::libpq, pgq::serializer::json>;
    timed jobs{pgq::driver::libpq{{.conninfo = db.conninfo(), .schema = "no_such_schema"}}};
    pgq::worker w{jobs, [](const letter&) {}};
    CHECK(w.run().error() == pgq::errc::schema_missing);
}

TEST_CASE("a scheduler that starts after a night fires what the policy says", "[integration][schedule][missed]") {
    const test::database db;
    const auto rules = {std::pair{"newest", pgq::missed::newest()}, std::pair{"skip", pgq::missed::skip()},
                        std::pair{"three", pgq::missed::all(3)}, std::pair{"young", pgq::missed::all(1000, 4h)}};
    running first{db};
    for (const auto& [name, policy] : rules)
        first.every("30 */1 * * *", letter{}, pgq::schedule_options{.name = name, .missed = policy});
    first.get().declare().value();
    // The clock of the database cannot be moved. So the test moves the schedules eight hours back.
    db.exec("UPDATE {s}.schedule SET next_at = date_trunc('hour', now()) - interval '8 hours'");
    const auto ticks_since = [&](const std::string& hours) {
        return db.query_int(
            "SELECT count(*) FROM generate_series(date_trunc('hour', now()) - interval '8 hours' + "
            "interval '30 minutes', now(), interval '1 hour') t WHERE t >= now() - interval '" +
            hours + " hours'");
    };
    running second{db};
    second.start();
    REQUIRE(eventually([&] { return db.query_int("SELECT count(*) FROM {s}.schedule WHERE next_at > now()") == 4; }));
    CHECK(second.stop().has_value());
    CHECK(test::count_ticks(db, "newest") == 1);
    CHECK(test::count_ticks(db, "skip") <= 1);  // one if the test runs in the minute after a tick
    CHECK(test::count_ticks(db, "three") == 3);
    CHECK(test::count_ticks(db, "young") >= ticks_since("4"));
    CHECK(test::count_ticks(db, "young") <= 5);
}

TEST_CASE("two programs with different rules that are deployed in turn erase nothing and fire nothing twice",
          "[integration][schedule]") {
    const test::database db;
    for (int round = 0; round < 3; ++round) {
        auto one = start_scheduler(db, "a=* * * * * *;of one=@every 1s");
        auto two = start_scheduler(db, "b=* * * * * *;of two=@every 1s");
        const auto before = test::count_ticks(db, "of two");
        REQUIRE(eventually([&] { return test::count_ticks(db, "of two") > before + 1; }));
        one.send(SIGTERM);
        two.send(SIGTERM);
        CHECK(one.wait() == 0);
        CHECK(two.wait() == 0);
        CHECK(db.query_text("SELECT string_agg(name, ',' ORDER BY name) FROM {s}.schedule") == "a,b,of one,of two");
    }
    for (const auto* name : {"a", "b", "of one", "of two"}) {
        CAPTURE(name);
        check_seconds(db, name);
    }
}

TEST_CASE("a program that runs declares its schedules again each half hour", "[integration][schedule]") {
    const test::database db;
    running one{db};
    one.every("@daily", letter{}, pgq::schedule_options{.name = "a"});
    one.every("@daily", letter{}, pgq::schedule_options{.name = "b"});
    one.get().declare().value();
    auto session = db.driver().connect(pgq::session_role::client).value();
    const std::vector<std::string> declared{"a"};
    const auto recent = [&](const std::string& minutes) {
        db.exec("UPDATE {s}.schedule SET declared_at = clock_timestamp() - interval '" + minutes + " minutes'");
        (void)session.schedules("default", declared).value();
        return db.query_text(
            "SELECT string_agg(name, ',' ORDER BY name) FROM {s}.schedule"
            " WHERE declared_at > clock_timestamp() - interval '15 minutes'");
    };
    CHECK(recent("20").empty());
    CHECK(recent("40") == "a");
}

TEST_CASE("a pause survives the deployment of the program that declares the schedule", "[integration][schedule]") {
    const test::database db;
    {
        auto one = start_scheduler(db, "a=* * * * * *;b=* * * * * *");
        REQUIRE(eventually([&] { return test::count_ticks(db, "a") > 0; }));
        running admin{db};
        CHECK(admin.get().pause("a", "too much").value());
    }
    const auto fired = test::count_ticks(db, "a"), others = test::count_ticks(db, "b");
    auto two = start_scheduler(db, "a=* * * * * *;b=* * * * * *");
    REQUIRE(eventually([&] { return test::count_ticks(db, "b") > others + 1; }));
    CHECK(test::count_ticks(db, "a") == fired);
}

TEST_CASE("a scheduler that waits sees a new schedule at once", "[integration][schedule][direct]") {
    const test::database db;
    running waiting{db, {.poll_interval = 1h}};
    waiting.start();
    REQUIRE(eventually([&] { return db.count_sessions("state = 'idle' AND query LIKE '%schedule%'") > 0; }));
    running other{db};
    other.every("* * * * * *", letter{});
    other.get().declare().value();
    CHECK(eventually(10s, [&] { return test::count_ticks(db, "letter") > 0; }));
}

TEST_CASE("a scheduler goes on when its connection is broken", "[integration][schedule]") {
    const test::database db;
    running one{db};
    one.every("* * * * * *", letter{}, pgq::schedule_options{.missed = pgq::missed::all(1000)}).start();
    REQUIRE(eventually([&] { return test::count_ticks(db, "letter") > 0; }));
    (void)db.end_sessions();
    const auto before = test::count_ticks(db, "letter");
    CHECK(eventually([&] { return test::count_ticks(db, "letter") > before + 1; }));
    CHECK(one.stop().has_value());
    check_seconds(db, "letter");
}

TEST_CASE("run returns an error if it cannot start, and nothing if it is stopped", "[integration][schedule]") {
    const test::database db;
    queue nowhere{pgq::driver::libpq{{.conninfo = db.conninfo(), .schema = "no_such_schema"}}};
    pgq::scheduler lost{nowhere};
    CHECK(lost.run().error() == pgq::errc::schema_missing);
    queue away{pgq::driver::libpq{"host=127.0.0.1 port=1 connect_timeout=2"}};
    pgq::scheduler absent{away, {.connect_timeout = 0s}};
    CHECK(absent.run().error() == pgq::errc::connection_lost);
    std::stop_source stopped;
    stopped.request_stop();
    queue jobs{db.driver()};
    pgq::scheduler s{jobs};
    CHECK(s.run(stopped.get_token()).has_value());
}

TEST_CASE("a job that cannot be enqueued skips its tick and stops no other schedule", "[integration][schedule]") {
    const test::database db;
    running one{db};
    one.every("* * * * * *", letter{}, pgq::schedule_options{.name = "bad"});
    one.every("* * * * * *", letter{}, pgq::schedule_options{.name = "good"});
    one.get().declare().value();
    db.exec("UPDATE {s}.schedule SET keep_for = '2000 years' WHERE name = 'bad'");
    running two{db};
    two.start();
    REQUIRE(eventually([&] { return test::count_ticks(db, "good") > 1; }));
    CHECK(test::count_ticks(db, "bad") == 0);
    CHECK(two.get().fire_now("bad").error() == pgq::errc::invalid_option);
}

}  // namespace integration_schedules
