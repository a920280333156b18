#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace scenarios_schema {

using test::database;
using test::note;

namespace {

std::string catalog_of(const database& db) {
    return db.query_text(
        "SELECT string_agg(c.relname || c.relkind::text || coalesce(array_to_string(c.reloptions, ','), '')"
        " || coalesce((SELECT string_agg(a.attname || a.atttypid::regtype || a.attnotnull || a.attstorage::text,"
        " ',' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid), ''), ';' ORDER BY c.relname)"
        " FROM pg_class c WHERE c.relnamespace = to_regnamespace('{q}')");
}

}  // namespace

TEST_CASE("the migrations in the headers are those in sql/", "[scenario][s57]") {
    const auto top = std::filesystem::path{__FILE__}.parent_path().parent_path().parent_path();
    const auto script = top / "tools" / "scripts" / "generate_schema.sh";
    REQUIRE(std::filesystem::exists(script));
    CHECK(std::system(("'" + script.string() + "' --check").c_str()) == 0);
}

TEST_CASE("a second installation changes nothing", "[scenario][s57]") {
    database db;
    const auto applied = db.query_text("SELECT string_agg(m::text, ';') FROM {s}.migration m");
    const auto catalog = catalog_of(db);
    CHECK(db.driver().install().has_value());
    CHECK(db.query_text("SELECT string_agg(m::text, ';') FROM {s}.migration m") == applied);
    CHECK(catalog_of(db) == catalog);
}

TEST_CASE("eight programs may install at once", "[scenario][s57]") {
    const database model;
    const database db;
    db.exec("DROP SCHEMA {s} CASCADE");
    std::atomic<int> failed{0};
    std::barrier start{8};
    {
        std::vector<std::jthread> programs;
        for (int i = 0; i < 8; ++i)
            programs.emplace_back([&] {
                start.arrive_and_wait();
                if (!db.driver().install()) ++failed;
            });
    }
    CHECK(failed == 0);
    CHECK(catalog_of(db) == catalog_of(model));
    CHECK(db.query_text("SELECT count(*) = count(DISTINCT version) AND count(*) > 0 FROM {s}.migration") == "t");
}

TEST_CASE("a failed installation changes nothing", "[scenario][s57]") {
    const database db;
    db.exec("DROP SCHEMA {s} CASCADE");
    db.exec("CREATE SCHEMA {s}; CREATE TABLE {s}.worker (mine int)");
    CHECK_FALSE(db.driver().install());
    CHECK(db.query_int("SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('{q}')") == 1);
}

TEST_CASE("installations in one database share nothing, whatever the names of their schemas",
          "[scenario][s56][direct]") {
    const std::string base = test::fresh_schemas::next();
    database plain{base};
    database odd{base + "Mixed \"quoted\" 'x' {s} \xc3\xbc"};
    test::note_queue<> here{plain.driver()}, there{odd.driver()};
    (void)here.enqueue(note{.n = 1}).value();
    (void)there.enqueue(test::notes(3)).value();

    test::run_log seen;
    test::running_worker w{there, pgq::worker_options{.poll_interval = std::chrono::minutes{10}},
                           [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
    REQUIRE(test::eventually([&] { return seen.size() == 3; }));
    REQUIRE(test::eventually([&] { return odd.is_empty() && odd.subscribed_workers() == 1; }));
    (void)there.enqueue(note{.n = 3}).value();
    CHECK(test::eventually([&] { return seen.size() == 4; }));
    CHECK(plain.rows("ready") == 1);
}

TEST_CASE("queues with different names share nothing", "[scenario][s56]") {
    database db;
    test::note_queue<> red{db.driver(), {.name = "red"}}, blue{db.driver(), {.name = "bl\"ue'; --"}};
    (void)red.enqueue(test::notes(5)).value();
    (void)blue.enqueue(test::notes(3)).value();
    test::run_log seen;
    test::run_until_empty(blue, {}, [&](const note& n, const pgq::context& c) { seen.add(n.n, c); });
    CHECK(seen.each_ran_once(3));
    CHECK(red.counts<note>().value().ready == 5);
}

}  // namespace scenarios_schema
