#include <pgq/statement/claim.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/proxy.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace scenarios_cost {

using namespace std::chrono_literals;
using test::claiming_session;
using test::database;
using test::enqueuing_session;
using test::note;
using steady = std::chrono::steady_clock;

namespace {

int claims_of(const test::proxy& p) { return p.count("claim_one") + p.count("claim_few"); }

/// The plan of a statement with 50 000 ready jobs in eight lanes: EXPLAIN ANALYZE with the settings of a worker.
class plan {
public:
    plan(const database& db, const pgq::statement::query& q, const std::string& types, const std::string& arguments) {
        const test::sql_connection c{test::dsn(), db.schema()};
        (void)c.exec(
            "SET plan_cache_mode = force_generic_plan; SET jit = off; SET enable_seqscan = off;"
            "SET enable_bitmapscan = off");
        (void)c.exec("BEGIN");
        (void)c.exec("PREPARE claim (" + types + ") AS " + std::string{q.text});
        const auto answer = c.exec("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) EXECUTE claim (" + arguments + ")");
        (void)c.exec("ROLLBACK");
        for (int i = 0; i < PQntuples(answer.get()); ++i) lines_.emplace_back(PQgetvalue(answer.get(), i, 0));
    }

    std::string text() const {
        std::string all;
        for (const auto& line : lines_) all += line + "\n";
        return all;
    }
    /// The rows that all nodes of a kind return, over all loops.
    double rows_of(const std::string& node) const {
        double sum = 0;
        for (const auto& line : lines_) {
            const auto found = line.find("(actual rows=");
            const auto loops = line.find("loops=", found);
            if (line.find(node) == std::string::npos || found == std::string::npos || loops == std::string::npos)
                continue;
            sum += std::stod(line.substr(found + 13)) * std::stod(line.substr(loops + 6));
        }
        return sum;
    }
    bool has(const std::string& what) const { return text().find(what) != std::string::npos; }

private:
    std::vector<std::string> lines_;
};

void fill_eight_lanes(const database& db) {
    db.exec(
        "INSERT INTO {s}.ready (lane, rank, body) SELECT i % 8 + 1, -1 - i % 3, '\\x00' FROM generate_series(1, 50000) "
        "i");
}

}  // namespace

TEST_CASE("half a million delayed jobs do not slow claims down", "[scenario][s21]") {
    database db;
    enqueuing_session s{db.options()};
    const auto lane = s.lanes({"busy"});
    db.exec(
        "INSERT INTO {s}.deferred (run_at, kind, id, rank, lane, body) SELECT now() + interval '1 day', 'd',"
        " -i, -100 * 281474976710656, " +
        std::to_string(lane[0].value) + ", '\\x00' FROM generate_series(1, 500000) i");
    (void)s.enqueue(lane[0], test::numbered("job", 5000));
    claiming_session c{db, lane};

    const auto before = steady::now();
    for (int i = 0; i < 50; ++i) {
        const auto got = c.sync({.lanes = std::vector{pgq::claim_lane{.lane = lane[0], .max_attempts = 1}},
                                 .limit = 100,
                                 .promote = true,
                                 .peek_next_due = true});
        CHECK(got.claimed() == 100);
        CHECK(got.next_due.has_value());
        (void)c.finish(got);
    }
    // A scan of all delayed jobs in each claim would take minutes.
    CHECK(steady::now() - before < 10s);
}

TEST_CASE("a claim from a long lane reads only the jobs that it takes, by the index", "[scenario][s22]") {
    database db;
    fill_eight_lanes(db);
    const plan p{db, pgq::statement::claim_one, "int4, int8, int8, int8, int4, int2, int8",
                 "3, -9223372036854775808, -9223372036854775808, 10, 1, 5, 1000000"};
    INFO(p.text());
    CHECK_FALSE(p.has("Seq Scan"));
    CHECK(p.has("Index Scan using ready_order"));
    CHECK_FALSE(p.has("Sort"));
    CHECK(p.rows_of("Index Scan using ready_order") == 10);
    CHECK(p.rows_of("Delete on ready") == 10);
}

TEST_CASE("a claim from eight long lanes reads at most a few jobs of each", "[scenario][s22]") {
    database db;
    fill_eight_lanes(db);
    const std::string lowest = "array_fill((-9223372036854775808)::int8, '{8}')";
    const plan p{db, pgq::statement::claim_wide, "int4[], int8[], int8[], int8, int4, int2[], int8",
                 "'{1,2,3,4,5,6,7,8}', " + lowest + ", " + lowest + ", 10, 1, array_fill(5::int2, '{8}'), 1000000"};
    INFO(p.text());
    CHECK_FALSE(p.has("Seq Scan on ready"));
    CHECK(p.rows_of("using ready_order") <= 4 * 8 * 10);
    CHECK(p.rows_of("Delete on ready") == 10);
}

TEST_CASE("jobs that end before the first heartbeat cause no heartbeat", "[scenario][s39]") {
    database db;
    test::proxy between;
    test::note_queue<> jobs{pgq::driver::libpq{between.options(db)}};
    (void)jobs.enqueue(test::notes(2000)).value();
    test::run_log seen;
    test::run_until_empty(jobs, {}, [&](const note& n, const pgq::context& c) { seen.add(n.n, c); });

    CHECK(seen.each_ran_once(2000));
    CHECK(between.count("beat") == 0);
    CHECK(claims_of(between) > 0);
}

TEST_CASE("an idle worker makes one round trip per poll interval", "[scenario][s58][direct]") {
    database db;
    test::proxy between;
    test::note_queue<> jobs{pgq::driver::libpq{between.options(db)}};
    (void)jobs.lanes().value();
    test::running_worker w{jobs, pgq::worker_options{.lease_time = 1h, .poll_interval = 200ms}, [](const note&) {}};
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));

    const auto first = steady::now();
    const int before = between.syncs();
    REQUIRE(test::eventually([&] { return between.syncs() >= before + 8; }));
    const auto took = steady::now() - first;
    CHECK(between.syncs() - before <= took / 200ms + 2);
    CHECK(took >= 6 * 200ms);
}

TEST_CASE("one job for many idle workers causes claims of one worker only", "[scenario][s58][direct]") {
    database db;
    test::proxy between;
    test::note_queue<> jobs{pgq::driver::libpq{between.options(db)}, {}, pgq::executor::thread_pool{1}};
    (void)jobs.lanes().value();
    test::run_log seen;
    const auto handler = [&](const note& n, const pgq::context& c) { seen.add(n.n, c); };
    using worker_type = decltype(test::running_worker{jobs, pgq::worker_options{}, handler});
    std::vector<std::unique_ptr<worker_type>> workers;
    for (int i = 0; i < 10; ++i)
        workers.push_back(
            std::make_unique<worker_type>(jobs, pgq::worker_options{.lease_time = 1h, .poll_interval = 1h}, handler));
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 10; }));
    REQUIRE(between.is_quiet_for(1s));

    const int claims = claims_of(between), syncs = between.syncs();
    (void)jobs.enqueue(note{.n = 1}).value();
    REQUIRE(test::eventually([&] { return seen.size() == 1 && db.is_empty(); }));
    REQUIRE(between.is_quiet_for(1s));
    CHECK(claims_of(between) - claims <= 3);
    CHECK(between.syncs() - syncs <= 10);
}

}  // namespace scenarios_cost
