#include <pgq/async_worker.hpp>
#include <pgq/driver/asio_libpq.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/proxy.hpp>

#include <chrono>
#include <future>
#include <string>

namespace scenarios_worker_start {

using namespace std::chrono_literals;
using test::database;
using test::note;
using steady = std::chrono::steady_clock;

namespace {

// A role whose new sessions are read-only or not, as those of a server that becomes a standby.
class switchable_role {
public:
    explicit switchable_role(const database& db) : db_{&db}, name_{"\"" + db.schema() + " reader\""} {
        db.exec("CREATE ROLE " + name_ + " LOGIN SUPERUSER");
    }
    switchable_role(const switchable_role&) = delete;
    switchable_role& operator=(const switchable_role&) = delete;
    ~switchable_role() { db_->exec("DROP ROLE " + name_); }

    void read_only(bool now) const {
        db_->exec("ALTER ROLE " + name_ + " SET default_transaction_read_only = " + (now ? "on" : "off"));
    }
    pgq::driver::connection_options options(const std::string& more = {}) const {
        auto o = db_->options();
        o.conninfo = database::settings_of(o.conninfo, "user", db_->schema() + " reader") + more;
        return o;
    }

private:
    const database* db_;
    std::string name_;
};

}  // namespace

TEST_CASE("a worker that starts while the server is down works when it is up", "[scenario][start]") {
    database db;
    test::proxy between;
    test::note_queue<> near_jobs{db.driver()};
    near_jobs.enqueue(note{.n = 1}).value();
    test::note_queue<> jobs{pgq::driver::libpq{between.options(db)}};
    between.go_down();
    test::run_log seen;
    test::running_worker w{jobs, {}, [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
    REQUIRE(test::eventually([&] { return jobs.observer()->failed >= 3; }));
    CHECK_FALSE(w.is_over());
    between.go_up();
    CHECK(test::eventually([&] { return seen.size() == 1; }));
    CHECK(w.stop());
}

TEST_CASE("an asynchronous worker that starts while the server is down works when it is up", "[scenario][start]") {
    database db;
    test::proxy between;
    test::note_queue<> near_jobs{db.driver()};
    near_jobs.enqueue(note{.n = 1}).value();
    test::running_context context;
    pgq::queue<pgq::job<note>, pgq::driver::asio_libpq, pgq::serializer::json, pgq::executor::thread_pool,
               test::event_counts>
        jobs{pgq::driver::asio_libpq{context.executor(), between.options(db)}};
    between.go_down();
    pgq::async_worker w{jobs, [](const note&) {}};
    test::outcome<> end;
    w.async_run(end.handler());
    REQUIRE(test::eventually([&] { return jobs.observer()->failed >= 3; }));
    SECTION("it is up again") {
        between.go_up();
        CHECK(test::eventually([&] { return db.is_empty(); }));
    }
    SECTION("it is told to stop before") {}
    w.stop();
    CHECK(end.comes_within(5s));
    CHECK_FALSE(end.error());
}

TEST_CASE("a worker that starts while the server is read-only works when it is not", "[scenario][start][direct]") {
    database db;
    const switchable_role role{db};
    test::note_queue<> near_jobs{db.driver()};
    near_jobs.enqueue(note{.n = 1}).value();
    const std::string more = GENERATE("", " target_session_attrs=read-write");
    test::note_queue<> jobs{pgq::driver::libpq{role.options(more)}};
    role.read_only(true);
    {
        test::running_worker w{jobs, {}, [](const note&) {}};
        REQUIRE(test::eventually([&] { return jobs.observer()->failed >= 3; }));
        CHECK_FALSE(w.is_over());
        role.read_only(false);
        CHECK(test::eventually([&] { return db.is_empty(); }));
    }
}

TEST_CASE("a worker gives up its first connection after connect_timeout, and at once if a person must act",
          "[scenario][start]") {
    database db;
    test::proxy between;
    between.go_down();
    test::note_queue<> jobs{pgq::driver::libpq{between.options(db)}};
    const auto begun = steady::now();
    pgq::worker patient{jobs, pgq::worker_options{.connect_timeout = 1s}, [](const note&) {}};
    CHECK(patient.run().error() == pgq::errc::connection_lost);
    CHECK(steady::now() - begun >= 1s);
    pgq::worker once{jobs, pgq::worker_options{.connect_timeout = 0s}, [](const note&) {}};
    const int before = jobs.observer()->failed;
    CHECK(once.run().error() == pgq::errc::connection_lost);
    CHECK(jobs.observer()->failed == before);
    pgq::worker negative{jobs, pgq::worker_options{.connect_timeout = -1s}, [](const note&) {}};
    CHECK(negative.run().error() == pgq::errc::invalid_option);
    test::note_queue<> nowhere{pgq::driver::libpq{{.conninfo = test::dsn(), .schema = db.schema() + " none"}}};
    pgq::worker lost{nowhere, [](const note&) {}};
    CHECK(lost.run().error() == pgq::errc::schema_missing);
}

TEST_CASE("a worker that is told to stop before it could connect ends without an error", "[scenario][start]") {
    database db;
    test::proxy between;
    test::note_queue<> jobs{pgq::driver::libpq{between.options(db)}};
    SECTION("the server is down") { between.go_down(); }
    SECTION("the server is silent") { between.freeze_host(); }
    test::running_worker w{jobs, pgq::worker_options{.grace = 0s}, [](const note&) {}};
    CHECK(test::always(300ms, [&] { return !w.is_over(); }));
    const auto begun = steady::now();
    CHECK(w.stop());
    CHECK(steady::now() - begun < 20s);  // connect_timeout is a minute
}

}  // namespace scenarios_worker_start
