#include <pgq/driver/libpq.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/install.hpp>
#include <pgq/limiter/concurrency_by.hpp>
#include <pgq/limiter/rate.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>
#include <support/roles.hpp>

#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace integration_roles {

using namespace std::chrono_literals;
using test::database;
using test::note;

namespace {

const std::vector<std::string> tables{"lane",       "ready",   "pack",       "deferred", "lease",
                                      "claim_slot", "worker",  "tracked",    "outcome",  "unique_key",
                                      "dependency", "failure", "lane_limit", "migration"};

pgq::driver::connection_options options_as(const database& db, const std::string& role) {
    return {.conninfo = test::roles::conninfo_as(role, db.conninfo()), .schema = db.schema()};
}

/// What a role can do with each table, tried out: S select all columns, I insert a default row, U update the first
/// column, D delete, T truncate. Other errors than a missing right count as possible.
std::string possible(const database& db, const std::string& role) {
    const test::sql_connection line{db.conninfo(), db.schema()};
    (void)line.exec("SET ROLE \"" + role + "\"");
    std::string all;
    for (const auto& table : tables) {
        std::string rights;
        const auto first = db.query_text("SELECT attname FROM pg_attribute WHERE attrelid = '{q}." + table +
                                         "'::regclass AND attnum = 1");
        const std::vector<std::pair<char, std::string>> tries{
            {'S', "SELECT * FROM {s}." + table},
            {'I', "INSERT INTO {s}." + table + " DEFAULT VALUES"},
            {'U', "UPDATE {s}." + table + " SET " + first + " = DEFAULT WHERE false"},
            {'D', "DELETE FROM {s}." + table + " WHERE false"},
            {'T', "TRUNCATE {s}." + table},
        };
        for (const auto& [right, sql] : tries) {
            (void)line.exec("BEGIN");
            if (!test::refusal(line, sql).starts_with("42501")) rights += right;
            (void)line.exec("ROLLBACK");
        }
        if (!rights.empty()) all += table + " " + rights + "; ";
    }
    return all;
}
/// The functions that a role may call, without their arguments.
std::set<std::string> callable(const database& db, const std::string& role) {
    std::set<std::string> names;
    const auto rows = db.sql().exec(
        "SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = to_regnamespace('{q}')"
        " AND has_function_privilege('" +
        role + "', oid, 'EXECUTE')");
    for (int i = 0; i < PQntuples(rows.get()); ++i) names.insert(PQgetvalue(rows.get(), i, 0));
    return names;
}
/// Whether the role can read one of the columns with payloads or results, from a table or from the view.
bool reads_payloads(const database& db, const std::string& role) {
    return db.query_int(
               "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
               " WHERE c.relnamespace = to_regnamespace('{q}') AND a.attname IN ('body', 'bodies', 'result')"
               "   AND c.relkind IN ('r', 'v') AND has_column_privilege('" +
               role + "', c.oid, a.attnum, 'SELECT')") != 0;
}

struct sum {
    static constexpr std::string_view entrypoint = "sum";
    using result = std::int64_t;
    std::int64_t a = 0;
    std::string key{};
};

using sums = pgq::queue<pgq::job<sum, pgq::limiter::concurrency_by<&sum::key, 2>>, note, pgq::driver::libpq,
                        pgq::serializer::json, pgq::executor::in_place>;

}  // namespace
}  // namespace integration_roles

BOOST_HANA_ADAPT_STRUCT(integration_roles::sum, a, key);

namespace integration_roles {

TEST_CASE("a producer enqueues in every way, waits and reads progress, and reads no payload",
          "[integration][roles][direct]") {
    const database db;
    const test::roles roles{db.schema()};
    const auto& role = roles.names().producer;
    sums jobs{pgq::driver::libpq{options_as(db, role)}};

    (void)jobs.enqueue(note{.n = 1}).value();
    (void)jobs.enqueue(test::notes(30)).value();
    (void)jobs.enqueue(test::notes(6000)).value();
    (void)jobs.enqueue(test::notes(300), {.packed = true}).value();
    (void)jobs.enqueue(sum{.a = 1, .key = "k"}).value();
    const std::vector<pgq::header> headers{{"tenant", "a"}};
    (void)jobs.enqueue(note{.n = 2}, {.priority = 3, .run_at = pgq::in(1h), .headers = headers}).value();
    const auto parent = jobs.enqueue(sum{.a = 2, .key = "k"}, {.keep_outcome = 1h}).value();
    const std::vector parents{parent.id()};
    (void)jobs.enqueue(note{.n = 3}, {.after = parents, .expires_at = pgq::in(1h)}).value();
    (void)jobs.enqueue(note{.n = 4}, {.at_most = 100'000}).value();
    for (const auto key : {pgq::unique{"u"}, pgq::unique{"u"}.or_replace(), pgq::unique{"u"}.or_debounce()})
        (void)jobs.enqueue(note{.n = 5}, {.run_at = pgq::in(1h), .unique_key = key}).value();
    jobs.transaction([](auto& tx) -> pgq::result<void> {
            (void)tx.enqueue(note{.n = 6}).value();
            return {};
        })
        .value();
    CHECK(jobs.progress(parent.id()).has_value());
    CHECK(parent.wait(0s).error() == pgq::errc::timeout);
    const std::int64_t all = 1 + 30 + 6000 + 300 + 1 + 1 + 1 + 1 + 1 + 1 + 1;
    CHECK(db.query_int("SELECT count(*) FROM {s}.job") == all);

    CHECK_FALSE(reads_payloads(db, role));
    CHECK(possible(db, role) == "lane SI; ready I; pack I; deferred I; claim_slot I; migration S; ");
    CHECK(callable(db, role) == std::set<std::string>{"enqueue_tracked", "watch", "count_open_jobs", "open_lane",
                                                      "pause_lane", "stored_make_session_settings", "stored_wake",
                                                      "stored_wake_all_collected"});
    CHECK(jobs.pause<note>("no").error().code == pgq::make_sqlstate("42501"));
    CHECK(jobs.resume<note>().error().code == pgq::make_sqlstate("42501"));
    (void)sums{pgq::driver::libpq{db.options()}}.drain<note>("moving").value();
    CHECK(jobs.enqueue(note{}).error() == pgq::errc::draining);
    CHECK(jobs.enqueue(sum{.a = 1, .key = "k"}).has_value());
    CHECK(jobs.cancel(parent.id()).error().code == pgq::make_sqlstate("42501"));
    CHECK(jobs.find_one(parent.id()).error().code == pgq::make_sqlstate("42501"));
    CHECK_FALSE(jobs.get<note>({.timeout = 0s}));
    const test::sql_connection line{options_as(db, role).conninfo, db.schema()};
    for (const std::string_view sql : {
             "INSERT INTO {s}.ready (rank, lane, body, attempts) VALUES (1, 1, '', 7)",
             "INSERT INTO {s}.ready (rank, lane, body, flags) VALUES (1, 1, '', 3)",
             "INSERT INTO {s}.deferred (run_at, kind, id, rank, lane, body, flags) VALUES (now(), 'd', 1, 1, 1, '', 1)",
             "INSERT INTO {s}.lane (queue, entrypoint, dead_letters) VALUES ('a', 'b', 1)",
             "SELECT body FROM {s}.job",
             "SELECT setval('{q}.job_id', 1)",
             "CREATE TABLE {s}.theirs ()",
             "DO $$ BEGIN LOCK TABLE {s}.ready IN ACCESS EXCLUSIVE MODE; END $$",
         }) {
        CAPTURE(sql);
        CHECK(test::refusal(line, sql).starts_with("42501"));
    }
}

TEST_CASE("a worker runs, retries, rescues and compacts, and cannot change the schema",
          "[integration][roles][direct]") {
    const database db;
    const test::roles roles{db.schema()};
    const auto& role = roles.names().worker;
    sums jobs{pgq::driver::libpq{options_as(db, role)}};
    const auto kept = jobs.enqueue(sum{.a = 20, .key = "k"}, {.keep_outcome = 1h}).value();
    (void)jobs.enqueue(test::notes(200), {.packed = true}).value();
    (void)jobs.enqueue(note{.n = -1}).value();
    (void)jobs.enqueue(note{.n = -2}, {.expires_at = pgq::in(1h)}).value();
    int ran = 0;
    test::run_until_empty(
        jobs, {}, [](const sum& s) -> std::int64_t { return s.a * 2; },
        [&](const note& n, pgq::context& c) -> pgq::outcome {
            ++ran;
            (void)c.progress(0.5, "half");
            if (n.n == -1 && c.attempt() == 1) return pgq::retry_after{0s};
            return pgq::done{};
        });
    CHECK(ran == 203);
    CHECK(kept.get(10s).value() == 40);

    (void)jobs.enqueue(note{.n = 7}).value();
    CHECK(jobs.get<note>({.timeout = 5s}).has_value());
    sums owner{pgq::driver::libpq{db.options()}};
    (void)owner.pause<note>("maintenance").value();
    (void)jobs.enqueue(note{.n = 8}).value();
    CHECK_FALSE(jobs.get<note>({.timeout = 0s}).value().has_value());
    test::run_until_empty(
        jobs, {}, [](const sum&) -> std::int64_t { return 0; }, [](const note&) { FAIL("it is paused"); });
    CHECK(jobs.pause<note>("no").error().code == pgq::make_sqlstate("42501"));
    (void)owner.resume<note>().value();
    CHECK(jobs.get<note>({.timeout = 0s}).value().has_value());
    auto line = pgq::driver::libpq{options_as(db, role)}.connect(pgq::session_role::worker).value();
    const auto lanes = jobs.lanes().value();
    const auto id = line.register_worker({.host = "h", .pid = 1, .version = "0", .lease_time = 1min, .lanes = lanes});
    CHECK_FALSE(line.beat(id.value()).value().compact_error.has_value());
    CHECK(line.rescue().has_value());
    CHECK(line.expire_and_purge().has_value());
    CHECK(line.retire(id.value()).has_value());

    CHECK(possible(db, role) ==
          "lane SI; ready SIUD; pack SIUD; deferred SIUD; lease SIUD; claim_slot SIU; worker SIUD; tracked SIUD; "
          "outcome SIUD; unique_key SIUD; dependency SIUD; failure SIUD; lane_limit SIU; migration S; ");
    CHECK(jobs.cancel(kept.id()).error().code == pgq::make_sqlstate("42501"));
    const test::sql_connection sql{options_as(db, role).conninfo, db.schema()};
    for (const std::string_view text : {"CREATE TABLE {s}.theirs ()", "DROP FUNCTION {s}.compact",
                                        "ALTER TABLE {s}.ready ADD COLUMN x int", "TRUNCATE {s}.ready"})
        CHECK(test::refusal(sql, text).starts_with("42501"));
}

TEST_CASE("an operator reads payloads, cancels, requeues and changes limits, and runs no jobs",
          "[integration][roles][direct]") {
    const database db;
    const test::roles roles{db.schema()};
    const auto& role = roles.names().operators;
    sums owner{pgq::driver::libpq{db.options()}};
    const auto held = owner.enqueue(note{.n = 1}).value(), other = owner.enqueue(note{.n = 2}).value();
    test::run_until_empty(
        owner, {.max_attempts = 1}, [](const sum&) -> std::int64_t { return 0; },
        [](const note& n) -> pgq::outcome {
            if (n.n == 1) return pgq::hold{"no"};
            return pgq::done{};
        });
    const auto waits = owner.enqueue(note{.n = 3}).value();

    sums jobs{pgq::driver::libpq{options_as(db, role)}};
    CHECK(jobs.held<note>().value().size() == 1);
    CHECK(jobs.find_one<note>(held.id()).value()->payload->n == 1);
    CHECK(jobs.failures(held.id()).has_value());
    CHECK(jobs.counts<note>().value().held == 1);
    CHECK(jobs.find_all<note>().value().size() == 2);
    CHECK(jobs.requeue(held.id()).has_value());
    CHECK(jobs.cancel(waits.id()).value().removed == 1);
    CHECK(other.wait(0s).has_value());
    auto line = pgq::driver::libpq{options_as(db, role)}.connect(pgq::session_role::client).value();
    db.exec("INSERT INTO {s}.lane_limit (queue, entrypoint, kind, amount) VALUES ('default', 'note', 'c', 3)");
    CHECK(line.change_limit("default", {.entrypoint = "note", .limit = {.kind = pgq::limit_kind::running, .amount = 5}})
              .value());
    const auto lanes = jobs.lanes().value();
    CHECK(line.set_dead_letter_routes({&lanes[0], 1}, {&lanes[1], 1}).has_value());

    CHECK(possible(db, role) ==
          "lane S; ready S; pack S; deferred S; lease S; claim_slot S; worker S; tracked S; outcome S; unique_key S; "
          "dependency S; failure S; lane_limit S; migration S; ");
    CHECK(callable(db, role) == std::set<std::string>{"cancel",          "requeue",
                                                      "count_open_jobs", "buckets",
                                                      "count_capped",    "latest_failures",
                                                      "pause",           "resume",
                                                      "change_schedule", "prune_schedules",
                                                      "list_jobs",       "scan_ready",
                                                      "failed_groups",   "run_now",
                                                      "drop_held",       "move_jobs",
                                                      "forget_worker",   "stored_make_session_settings",
                                                      "stored_wake",     "stored_wake_all_collected"});
    CHECK(jobs.keep_failures<note>(std::chrono::hours{1}).has_value());
    CHECK(jobs.pause<note>("maintenance").value());
    CHECK(jobs.drain<note>("maintenance").value());
    CHECK(jobs.paused().value().size() == 2);
    CHECK(jobs.counts<note>().value().paused);
    CHECK(jobs.resume<note>().value());
    CHECK(jobs.enqueue(note{}).error().code == pgq::make_sqlstate("42501"));
    CHECK_FALSE(jobs.get<note>({.timeout = 0s}));
}

TEST_CASE("a reader counts and lists jobs, and reads neither payloads nor results", "[integration][roles][direct]") {
    const database db;
    const test::roles roles{db.schema()};
    const auto& role = roles.names().reader;
    sums owner{pgq::driver::libpq{db.options()}};
    const auto id = owner.enqueue(note{.n = 3}).value().id();

    sums jobs{pgq::driver::libpq{options_as(db, role)}};
    CHECK(jobs.counts<note>().value().ready == 1);
    CHECK(jobs.find_all<note>().value().size() == 1);
    CHECK(jobs.failures(id).has_value());
    const test::sql_connection line{options_as(db, role).conninfo, db.schema()};
    CHECK(line.query_int("SELECT count(id) FROM {s}.job WHERE state = 'ready'") == 1);
    CHECK_FALSE(reads_payloads(db, role));
    CHECK(possible(db, role) ==
          "lane S; claim_slot S; worker S; tracked S; unique_key S; dependency S; failure S; lane_limit S; "
          "migration S; ");
    CHECK(callable(db, role) == std::set<std::string>{"count_open_jobs", "buckets", "count_capped", "latest_failures",
                                                      "list_jobs", "scan_ready", "failed_groups",
                                                      "stored_make_session_settings"});
    CHECK(jobs.statistics<note>({.last = std::chrono::hours{1}}).has_value());
    CHECK(jobs.counts_up_to<note>(10).value().ready == pgq::capped_count{1, false});
    CHECK(jobs.latest_failures<note>().value().empty());
    CHECK(jobs.keep_failures<note>(std::chrono::hours{1}).error().code == pgq::make_sqlstate("42501"));
    CHECK(jobs.enqueue(note{}).error().code == pgq::make_sqlstate("42501"));
    CHECK(jobs.cancel(id).error().code == pgq::make_sqlstate("42501"));
    CHECK(jobs.requeue(id).error().code == pgq::make_sqlstate("42501"));
}

TEST_CASE("the owner installs and upgrades; the script of the roles may run again", "[integration][roles][direct]") {
    const database db;
    const test::roles roles{db.schema()};
    test::run_script(db.sql(), roles.script());
    CHECK(pgq::driver::libpq{options_as(db, roles.names().owner)}.install().has_value());
    CHECK(db.query_text("SELECT string_agg(c.relname, ', ') FROM pg_class c"
                        " WHERE c.relnamespace = to_regnamespace('{q}') AND c.relowner <> '\"" +
                        roles.names().owner + "\"'::regrole")
              .empty());
    CHECK(db.query_int("SELECT count(*) FROM pg_proc p WHERE p.pronamespace = to_regnamespace('{q}')"
                       " AND p.proowner <> '\"" +
                       roles.names().owner + "\"'::regrole") == 0);
    // A worker that finds nothing to install may call install().
    CHECK(pgq::driver::libpq{options_as(db, roles.names().worker)}.install().has_value());
}

TEST_CASE("names of roles and schemas are quoted, and refused where PostgreSQL would not take them",
          "[integration][roles]") {
    CHECK(pgq::roles_sql({.owner = ""}).error() == pgq::errc::invalid_name);
    CHECK(pgq::roles_sql({.producer = "same", .worker = "same"}).error() == pgq::errc::invalid_name);
    CHECK(pgq::roles_sql({.schema = std::string(64, 'x')}).error() == pgq::errc::invalid_name);
    const database db{test::fresh_schemas::next() + "Mixed \"q\" 'x' $pgq$ {s} \\"};
    const test::roles roles{db.schema()};
}

}  // namespace integration_roles
