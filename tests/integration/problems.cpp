#include <pgq/driver/libpq.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/pgq.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>
#include <support/roles.hpp>

#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace integration_problems {

using pgq::errc;
using test::database;
using test::note;
using strings = std::vector<std::string>;

namespace {

// Records what a worker finds about its database.
class recorder {
public:
    using policy_category = pgq::observer_tag;

    void on(const pgq::event::database_problem_found& e) {
        found_->push_back(std::string{e.problem} + (e.prevents_work ? " prevents work" : ""));
        messages_->push_back(std::string{e.message} + "; " + std::string{e.remedy});
    }
    const strings& found() const { return *found_; }
    const strings& messages() const { return *messages_; }

private:
    std::shared_ptr<strings> found_ = std::make_shared<strings>(), messages_ = std::make_shared<strings>();
};

using recorded = pgq::queue<note, pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place, recorder>;

pgq::driver::libpq driver_as(const database& db, const std::string& role) {
    return pgq::driver::libpq{{.conninfo = test::roles::conninfo_as(role, db.conninfo()), .schema = db.schema()}};
}

pgq::result<void> run(recorded& jobs, int& ran) {
    pgq::worker w{jobs, pgq::worker_options{.until = pgq::run_until::empty}, [&](const note&) { ++ran; }};
    return w.run();
}

}  // namespace

TEST_CASE("a worker finds nothing wrong with a database as it is installed", "[integration][problems]") {
    const database db;
    recorded jobs{db.driver()};
    (void)jobs.enqueue(note{}).value();
    int ran = 0;
    CHECK(run(jobs, ran).has_value());
    CHECK(ran == 1);
    CHECK(jobs.observer().found().empty());
    CHECK(jobs.problems().value().empty());
}

TEST_CASE("a worker whose role sees no jobs through row level security ends with an error that says so",
          "[integration][problems][direct]") {
    const database db;
    const test::roles roles{db.schema()};
    const auto& role = roles.names().worker;
    recorded jobs{driver_as(db, role)};
    (void)jobs.enqueue(note{}).value();
    int ran = 0;
    SECTION("without a policy") {
        db.exec("ALTER TABLE {s}.ready ENABLE ROW LEVEL SECURITY");
        const auto ended = run(jobs, ran);
        REQUIRE(ended.error() == errc::unfit_database);
        CHECK(ended.error() == pgq::condition::configuration);
        CHECK(ended.error().message ==
              "row level security hides the rows of ready from the role \"" + role + "\": its jobs never run");
        CHECK(ended.error().hint.find("BYPASSRLS") != std::string::npos);
        CHECK(jobs.observer().found() == strings{"row_security prevents work"});
        CHECK(jobs.observer().messages().at(0) == ended.error().message + "; " + ended.error().hint);
        CHECK(db.rows("worker") == 0);
    }
    SECTION("with a policy that does not let it delete") {
        db.exec("ALTER TABLE {s}.ready ENABLE ROW LEVEL SECURITY");
        db.exec("CREATE POLICY only_look ON {s}.ready FOR SELECT USING (true)");
        CHECK(run(jobs, ran).error() == errc::unfit_database);
    }
    SECTION("with a policy for another role") {
        db.exec("ALTER TABLE {s}.ready ENABLE ROW LEVEL SECURITY");
        db.exec("CREATE POLICY theirs ON {s}.ready TO \"" + roles.names().operators + "\" USING (true)");
        CHECK(run(jobs, ran).error() == errc::unfit_database);
    }
    CHECK(ran == 0);
    // The role that owns the tables, or bypasses row level security, works.
    recorded owned{db.driver()};
    CHECK(run(owned, ran).has_value());
    CHECK(ran == 1);
    CHECK(owned.observer().found().empty());
}

TEST_CASE("a worker works beside row level security that leaves it something, and says what may be hidden",
          "[integration][problems][direct]") {
    const database db;
    const test::roles roles{db.schema()};
    recorded jobs{driver_as(db, roles.names().worker)};
    (void)jobs.enqueue(note{}).value();
    int ran = 0;
    SECTION("with policies that apply to it") {
        db.exec("ALTER TABLE {s}.ready ENABLE ROW LEVEL SECURITY");
        db.exec("CREATE POLICY all_of_them ON {s}.ready TO \"" + roles.names().worker + "\" USING (true)");
        CHECK(run(jobs, ran).has_value());
        CHECK(jobs.observer().found() == strings{"row_security_policies"});
    }
    SECTION("with row_security off for the role, where each statement would be an error") {
        db.exec("ALTER TABLE {s}.ready ENABLE ROW LEVEL SECURITY");
        db.exec("CREATE POLICY all_of_them ON {s}.ready TO \"" + roles.names().worker + "\" USING (true)");
        const std::string options = "-c role=" + roles.names().worker + " -c row_security=off";
        recorded strict{pgq::driver::libpq{
            {.conninfo = database::settings_of(db.conninfo(), "options", options), .schema = db.schema()}}};
        CHECK(run(strict, ran).has_value());
    }
    SECTION("where only delayed jobs are hidden") {
        db.exec("ALTER TABLE {s}.deferred ENABLE ROW LEVEL SECURITY");
        CHECK(run(jobs, ran).has_value());
        CHECK(jobs.observer().found() == strings{"row_security"});
    }
    SECTION("with autovacuum off for a table") {
        db.exec("ALTER TABLE {s}.ready SET (autovacuum_enabled = off)");
        CHECK(run(jobs, ran).has_value());
        CHECK(jobs.observer().found() == strings{"autovacuum"});
        CHECK(jobs.problems().value().at(0).message ==
              "autovacuum is off for ready: dead rows stay, and each claim becomes slower");
    }
    CHECK(ran == 1);
}

TEST_CASE("install() and a worker refuse published tables without a replica identity", "[integration][problems]") {
    // A database of its own: such a publication forbids changes of the tables of other tests.
    const test::sql_connection server{test::dsn(), "public"};
    const std::string name = "unfit_" + std::to_string(::getpid());
    (void)server.exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)");
    (void)server.exec("CREATE DATABASE " + name + " TEMPLATE template0 ENCODING 'UTF8'");
    const pgq::driver::libpq driver{database::settings_of(test::dsn(), "dbname", name)};
    driver.install().value();
    {
        const test::sql_connection inside{driver.options().conninfo, "pgq_jobs"};
        recorded jobs{driver};
        (void)jobs.enqueue(note{}).value();
        (void)inside.exec("ALTER TABLE {s}.ready REPLICA IDENTITY DEFAULT");
        int ran = 0;
        const auto not_published = [&] {
            CHECK(driver.install().has_value());
            CHECK(run(jobs, ran).has_value());
            CHECK(jobs.observer().found().empty());
        };
        SECTION("without a publication") { not_published(); }
        SECTION("with a publication of inserts") {
            (void)inside.exec("CREATE PUBLICATION p FOR ALL TABLES WITH (publish = 'insert')");
            not_published();
        }
        SECTION("with a publication of other tables") {
            (void)inside.exec("CREATE TABLE public.ready (id int PRIMARY KEY)");
            (void)inside.exec("CREATE PUBLICATION p FOR TABLE public.ready");
            not_published();
        }
        const auto published = [&](const char* publication) {
            (void)inside.exec(publication);
            const auto ended = run(jobs, ran);
            REQUIRE(ended.error() == errc::unfit_database);
            CHECK(ended.error().message == "a publication has ready, without a replica identity: their changes fail");
            CHECK(jobs.observer().found() == strings{"replica_identity prevents work"});
            CHECK(driver.install().error() == errc::unfit_database);
            (void)inside.exec("ALTER TABLE {s}.ready REPLICA IDENTITY FULL");
            CHECK(driver.install().has_value());
            CHECK(run(jobs, ran).has_value());
        };
        SECTION("with a publication of all tables") { published("CREATE PUBLICATION p FOR ALL TABLES"); }
        SECTION("with a publication of this table") { published("CREATE PUBLICATION p FOR TABLE {s}.ready"); }
        CHECK(ran == 1);
    }
    (void)server.exec("DROP DATABASE " + name + " WITH (FORCE)");
}

}  // namespace integration_problems
