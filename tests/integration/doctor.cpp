#include <pgq/admin.hpp>
#include <pgq/driver/borrow.hpp>
#include <pgq/driver/libpq.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/roles.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace integration_doctor {

using namespace pgq;
using namespace std::chrono_literals;
using test::database;
using findings = std::vector<finding>;

namespace {

findings examine(admin<driver::libpq>& ops, const doctor_options& o = {}) { return ops.doctor(o).value(); }
findings examine(const database& db, const doctor_options& o = {}) {
    admin ops{db.driver()};
    return examine(ops, o);
}
std::string text_of(const findings& all) {
    std::string text;
    for (const auto& f : all) text += f.topic + ": " + f.what + "\n  " + f.remedy + "\n  " + f.sql + "\n";
    return text;
}

lane_id lane_of(const database& db, std::string_view queue, std::string_view entrypoint,
                std::string_view version = {}) {
    auto line = db.driver().connect(session_role::client).value();
    const lane_name name{.entrypoint = entrypoint, .version = version};
    return line.lanes(queue, std::span{&name, 1}).value().at(0);
}
void enqueue(const database& db, lane_id lane, std::size_t n, const enqueue_options& options = {}) {
    auto line = db.driver().connect(session_role::client).value();
    bodies b;
    for (std::size_t i = 0; i < n; ++i) b.bytes().append("payload"), b.close();
    std::vector<job_id> ids;
    line.enqueue({.lane = lane, .bodies = &b, .options = std::span{&options, 1}}, ids).value();
}
void register_worker(const database& db, const std::string& lanes, const std::string& heartbeat = "now()") {
    db.exec("INSERT INTO {s}.worker (lease_time, heartbeat_at, host, pid, version, lanes) VALUES ('1min', " +
            heartbeat + ", 'here', 42, '1', '{" + lanes + "}')");
}

// A repair as it is: its braces are those of names.
void repair(const database& db, const finding& f) {
    const driver::pq::result_ptr done{PQexec(db.connection(), f.sql.c_str())};
    INFO(f.sql << "\n" << PQresultErrorMessage(done.get()));
    REQUIRE((PQresultStatus(done.get()) == PGRES_COMMAND_OK || PQresultStatus(done.get()) == PGRES_TUPLES_OK));
}

struct damage {
    const char* sql;
    severity how;
    const char* topic;
    const char* what;
    bool mends = true;
};

// The only finding is the one of the damage, and its statements repair it.
void check(const database& db, const damage& d) {
    INFO(d.sql);
    db.exec(d.sql);
    const auto found = examine(db);
    INFO(text_of(found));
    REQUIRE(found.size() == 1);
    CHECK(found[0].severity == d.how);
    CHECK(found[0].topic == d.topic);
    CHECK(found[0].what == d.what);
    CHECK_FALSE(found[0].remedy.empty());
    REQUIRE(found[0].sql.empty() == !d.mends);
    if (d.mends) repair(db, found[0]);
}
void check_healthy(const database& db) {
    const auto found = examine(db);
    INFO(text_of(found));
    CHECK(found.empty());
}

const std::string hostile = "Mixed \"q\" 'x' $pgq$ {s} \\ \xC3\xA9";

}  // namespace

TEST_CASE("a doctor finds nothing in a new installation, whatever its schema is called", "[integration][doctor]") {
    check_healthy(database{});
    check_healthy(database{test::fresh_schemas::next() + hostile});
}

// The repairs are the statements of a test, so not of the role that owns the schema if that is another one.
TEST_CASE("a doctor finds what was changed in the schema, and repairs it", "[integration][doctor][usual_settings]") {
    const database db{test::fresh_schemas::next() + hostile};
    const damage all[] = {
        {"DROP INDEX {s}.ready_order", severity::warning, "drift",
         "the index \"ready_order\" of the table \"ready\" is missing"},
        {"DROP INDEX {s}.deferred_due; CREATE INDEX deferred_due ON {s}.deferred (id, run_at)", severity::error,
         "drift",
         "the index \"deferred_due\" of the table \"deferred\" was changed: \" USING btree (id, run_at)\" in place of "
         "\" USING btree (run_at) WHERE run_at < 'infinity'::timestamp with time zone\""},
        {"UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass('{q}.pack_order')", severity::warning,
         "drift", "the index \"pack_order\" of the table \"pack\" is invalid: nothing uses it"},
        {"ALTER TABLE {s}.lane DROP CONSTRAINT lane_dead_letters_fkey", severity::error, "drift",
         "the constraint \"lane_dead_letters_fkey\" of the table \"lane\" is missing"},
        {"ALTER TABLE {s}.lane DROP CONSTRAINT lane_queue_entrypoint_version_key", severity::error, "drift",
         "the constraint \"lane_queue_entrypoint_version_key\" of the table \"lane\" is missing"},
        {"ALTER TABLE {s}.ready DROP CONSTRAINT ready_headers,"
         " ADD CONSTRAINT ready_headers CHECK (jsonb_typeof(headers) = 'object') NOT VALID",
         severity::warning, "drift", "the constraint \"ready_headers\" of the table \"ready\" is not validated"},
        {"ALTER TABLE {s}.paused DROP CONSTRAINT paused_kind, ADD CONSTRAINT paused_kind CHECK (kind <> '')",
         severity::error, "drift",
         "the constraint \"paused_kind\" of the table \"paused\" was changed: \"CHECK (kind <> ''::text)\" in place of "
         "\"CHECK (kind = ANY (ARRAY['paused'::text, 'draining'::text]))\""},
        {"ALTER TABLE {s}.lease ALTER id SET DEFAULT 7", severity::error, "drift",
         "the column \"id\" of the table \"lease\" was changed: \"7\" in place of "
         "\"(((((EXTRACT(epoch FROM now()) - (1577836800)::numeric) * (1000)::numeric))::bigint << 22) | "
         "(nextval('lease_number'::regclass) & (4194303)::bigint))\""},
        {"ALTER TABLE {s}.ready ALTER attempts DROP DEFAULT", severity::error, "drift",
         "the column \"attempts\" of the table \"ready\" was changed: \"\" in place of \"0\""},
        {"ALTER TABLE {s}.ready ALTER body DROP NOT NULL", severity::error, "drift",
         "the column \"body\" of the table \"ready\" allows nulls"},
        {"ALTER TABLE {s}.ready ALTER key SET NOT NULL", severity::error, "drift",
         "the column \"key\" of the table \"ready\" allows no nulls"},
        {"DROP TRIGGER lane_paused ON {s}.lane", severity::error, "drift",
         "the trigger \"lane_paused\" of the table \"lane\" is missing"},
        {"ALTER TABLE {s}.deferred DISABLE TRIGGER deferred_dead_letters", severity::error, "drift",
         "the trigger \"deferred_dead_letters\" of the table \"deferred\" is not always enabled"},
        {"DROP FUNCTION {s}.requeue", severity::error, "drift", "the function requeue(bigint[]) is missing"},
        {"DROP FUNCTION {s}.enqueue_scheduled", severity::error, "drift",
         "the function enqueue_scheduled(schedule, timestamp with time zone) is missing"},
        {"CREATE OR REPLACE FUNCTION {s}.schema_id() RETURNS int4 LANGUAGE sql STABLE"
         " SET search_path = {s}, pg_catalog, pg_temp AS 'SELECT 7'",
         severity::error, "drift", "the function schema_id() was changed: its text is another one"},
        {"ALTER FUNCTION {s}.pause(text, text, text, text) SECURITY INVOKER", severity::error, "drift",
         "the function pause(text, text, text, text) was changed: "
         "\"plpgsql VOLATILE SET search_path=@, pg_catalog, pg_temp\" in place of "
         "\"plpgsql VOLATILE SECURITY DEFINER SET search_path=@, pg_catalog, pg_temp\""},
        {"ALTER FUNCTION {s}.check_open(int4) RESET search_path", severity::error, "drift",
         "the function check_open(integer) was changed: \"plpgsql STABLE\" in place of "
         "\"plpgsql STABLE SET search_path=@, pg_catalog, pg_temp\""},
        {"CREATE INDEX mine ON {s}.ready (attempts)", severity::warning, "foreign",
         "the index \"mine\" of the table \"ready\" is not of pgq, and each change of a row pays for it"},
        {"ALTER TABLE {s}.pack ADD CONSTRAINT mine CHECK (n < 1000)", severity::warning, "foreign",
         "the constraint \"mine\" of the table \"pack\" is not of pgq, and each change of a row pays for it"},
        {"CREATE TRIGGER mine BEFORE INSERT ON {s}.failure FOR EACH ROW EXECUTE FUNCTION {s}.pause_new_lane()",
         severity::warning, "foreign",
         "the trigger \"mine\" of the table \"failure\" is not of pgq, and each change of a row pays for it"},
        {"GRANT EXECUTE ON FUNCTION {s}.cancel TO PUBLIC", severity::warning, "rights",
         "everybody may execute the function cancel(bigint[], boolean, integer[], bigint[])"},
        {"GRANT EXECUTE ON FUNCTION {s}.enqueue_scheduled TO PUBLIC", severity::warning, "rights",
         "everybody may execute the function enqueue_scheduled(schedule, timestamp with time zone)"},
        {"GRANT SELECT ON {s}.ready TO PUBLIC", severity::warning, "rights",
         "everybody has rights on the table \"ready\""},
        {"GRANT SELECT ON {s}.job TO PUBLIC", severity::warning, "rights", "everybody has rights on the table \"job\""},
        {"GRANT USAGE ON SEQUENCE {s}.job_id TO PUBLIC", severity::warning, "rights",
         "everybody has rights on the sequence \"job_id\""},
        {"GRANT CREATE ON SCHEMA {s} TO PUBLIC", severity::error, "rights",
         "everybody may create objects in the schema, and so run code with the rights of its owner"},
        {"ALTER TABLE {s}.ready SET (autovacuum_enabled = false)", severity::warning, "autovacuum",
         "autovacuum is off for ready: dead rows stay, and each claim becomes slower"},
        {"INSERT INTO {s}.paused VALUES ('', '', 'draining', now(), '')", severity::error, "paused",
         "the function open_lane does not say what the table \"paused\" says"},
        {"INSERT INTO {s}.paused VALUES ('it''s', 'e\"x', 'draining', now() - interval '49 hours', '')", severity::note,
         "paused", "the entrypoint \"e\"x\" of the queue \"it's\" is draining since 2d 1h"},
    };
    for (const auto& d : all) {
        check(db, d);
        check_healthy(db);
        if (std::string_view{d.sql}.find("INTO {s}.paused") != std::string_view::npos)
            db.exec("DELETE FROM {s}.paused");
    }
}

TEST_CASE("a doctor names what only a person can repair", "[integration][doctor]") {
    const database db;
    SECTION("a column of somebody else") {
        check(db, {"ALTER TABLE {s}.ready ADD COLUMN mine text", severity::note, "foreign",
                   "the column \"mine\" of the table \"ready\" is not of pgq", false});
    }
    SECTION("a column that makes each insert fail") {
        check(db, {"ALTER TABLE {s}.ready ADD COLUMN mine text NOT NULL", severity::error, "foreign",
                   "the column \"mine\" of the table \"ready\" is not of pgq and has no default: each insert fails",
                   false});
    }
    SECTION("another type") {
        check(db, {"ALTER TABLE {s}.schedule ALTER fired_job TYPE int4", severity::error, "drift",
                   "the column \"fired_job\" of the table \"schedule\" was changed: \"integer\" in place of \"bigint\"",
                   false});
    }
    SECTION("a missing table, without its columns and indexes") {
        check(db, {"DROP TABLE {s}.outcome", severity::error, "drift", "the table \"outcome\" is missing", false});
    }
    SECTION("a sequence that caches, whose old ids would run before newer ones") {
        check(db, {"ALTER SEQUENCE {s}.job_id CACHE 10", severity::error, "drift",
                   "the sequence \"job_id\" was changed: \"bigint INCREMENT 1 CACHE 10\" in place of "
                   "\"bigint INCREMENT 1 CACHE 1\"",
                   false});
    }
    SECTION("tables and functions of somebody else, in one note") {
        check(db, {"CREATE TABLE {s}.mine (id int PRIMARY KEY); CREATE FUNCTION {s}.mine() RETURNS int LANGUAGE sql"
                   " AS 'SELECT 1'",
                   severity::note, "foreign",
                   "the schema has what pgq does not make: the function mine(), the table \"mine\"", false});
    }
}

TEST_CASE("what pause() and resume() replace is no drift", "[integration][doctor]") {
    const database db;
    admin ops{db.driver()};
    REQUIRE(ops.pause("mail", "", "").value());
    REQUIRE(ops.drain("mail", "", "").value());
    check_healthy(db);
    REQUIRE(ops.resume("mail", "").value());
    check_healthy(db);
}

TEST_CASE("a doctor says who holds the oldest snapshot, and what it runs", "[integration][doctor]") {
    const database db;
    const test::sql_connection other{test::dsn(), db.schema()};
    (void)other.exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 'my report' FROM {s}.ready");
    const std::string pid = other.query_text("SELECT pg_backend_pid()");
    CHECK(examine(db).empty());
    // Transactions of other tests may be older, and end meanwhile.
    std::vector<finding> found;
    const auto is_ours = [&](const finding& f) {
        return f.topic == "snapshot" && f.what.find("process " + pid + " (") != std::string::npos;
    };
    const bool seen = test::eventually([&] {
        found = examine(db, {.old_snapshot = duration{}});
        return std::any_of(found.begin(), found.end(), is_ours);
    });
    INFO(text_of(found));
    REQUIRE(seen);
    REQUIRE(std::count_if(found.begin(), found.end(), [](const finding& f) { return f.topic == "snapshot"; }) == 1);
    const auto& f = *std::find_if(found.begin(), found.end(), is_ours);
    CHECK(f.severity == severity::warning);
    CHECK(f.what.find("idle in transaction, ") != std::string::npos);
    repair(db, f);
    CHECK(examine(db, {.old_snapshot = 1h}).empty());
    CHECK_THROWS(other.exec("SELECT 1"));
}

TEST_CASE("a doctor names lanes that no live worker serves, up to a cap", "[integration][doctor]") {
    const database db;
    const auto mail = lane_of(db, "mail", "note"), newer = lane_of(db, "mail", "note", "2");
    enqueue(db, mail, 12);
    enqueue(db, newer, 3, {.packed = true});
    {
        const auto found = examine(db, {.count_up_to = 10});
        INFO(text_of(found));
        REQUIRE(found.size() == 2);
        CHECK(found[0].topic == "lane");
        CHECK(found[0].what.find(
                  "no live worker serves \"note\" of the queue \"mail\": 10+ jobs wait, the first since") == 0);
        CHECK(found[1].what.find("no live worker serves \"note\" of the queue \"mail\" in the version \"2\": 3 jobs") ==
              0);
    }
    SECTION("a worker that reads one version of the payload") {
        register_worker(db, std::to_string(mail.value));
        const auto found = examine(db);
        INFO(text_of(found));
        REQUIRE(found.size() == 1);
        CHECK(found[0].topic == "payload_version");
        CHECK(found[0].what.find(
                  "no live worker reads the payload version \"2\" of \"note\" of the queue \"mail\": 3 jobs") == 0);
        register_worker(db, std::to_string(newer.value));
        check_healthy(db);
    }
    SECTION("a worker of many queue names") {
        db.exec(
            "INSERT INTO {s}.worker (lease_time, host, pid, version, lanes, queue_prefix, entrypoints, versions)"
            " VALUES ('1min', 'here', 42, '1', '{}', 'ma', '{note,note}', '{\"\",2}')");
        check_healthy(db);
    }
    SECTION("more lanes than anybody wants to read") {
        for (int i = 0; i < 20; ++i) enqueue(db, lane_of(db, "mail", "other " + std::to_string(i)), 1);
        const auto found = examine(db);
        REQUIRE(found.size() == 21);
        CHECK(found.back().what == "no live worker serves 2 more lanes in which jobs wait");
    }
    SECTION("lanes that are paused") {
        admin ops{db.driver()};
        REQUIRE(ops.pause("mail", "", "").value());
        check_healthy(db);
    }
}

TEST_CASE("a doctor names dead workers with jobs, late jobs and late schedules", "[integration][doctor]") {
    const database db;
    const auto mail = lane_of(db, "mail", "note");
    register_worker(db, std::to_string(mail.value));
    SECTION("a dead worker") {
        register_worker(db, "", "now() - interval '1 hour'");
        check_healthy(db);  // it has no job
        const auto id = db.query_text("SELECT id FROM {s}.worker WHERE heartbeat_at < now() - interval '59 min'");
        db.exec(
            "INSERT INTO {s}.lease (worker, lane, max_attempts, ids, ranks, attempts, bodies, enqueued_at)"
            " VALUES (" +
            id + ", 1, 1, '{1}', '{1}', '{1}', '{x}', '{now}')");
        const auto found = examine(db);
        REQUIRE(found.size() == 1);
        CHECK(found[0].topic == "worker");
        CHECK(found[0].what ==
              "worker " + id + " (here, process 42) has no heartbeat since 1h, and its jobs were not rescued");
        CHECK(found[0].remedy == "start any worker: it rescues them; or call forget_worker(" + id + ")");
    }
    SECTION("leases of nobody") {
        db.exec(
            "INSERT INTO {s}.lease (worker, lane, claimed_at, max_attempts, ids, ranks, attempts, bodies, enqueued_at)"
            " VALUES (7, 1, now() - interval '3 hours', 1, '{1}', '{1}', '{1}', '{x}', '{now}')");
        const auto found = examine(db);
        REQUIRE(found.size() == 1);
        CHECK(found[0].what == "1 leases belong to workers that are not registered, the oldest since 3h");
    }
    SECTION("due jobs") {
        enqueue(db, mail, 2, {.run_at = pgq::in(1h)});
        check_healthy(db);
        db.exec("UPDATE {s}.deferred SET run_at = now() - interval '5 min'");
        const auto found = examine(db);
        REQUIRE(found.size() == 1);
        CHECK(found[0].topic == "due");
        CHECK(found[0].what.starts_with("2 jobs are due and still deferred, the first since 5min"));
    }
    SECTION("a schedule") {
        db.exec(
            "INSERT INTO {s}.schedule (queue, name, lane, expression, zone, jitter, missed_count, overlap, next_at,"
            " declared_at, priority, hold_expired, keep_for, unique_key, unique_rule, unique_period, headers, body)"
            " VALUES ('mail', 'nightly', 1, '@daily', 'UTC', '0', 1, 'a', now() - interval '3 hours', now(), 0,"
            " false, '0', '', '', '0', '{}', 'x')");
        const auto found = examine(db);
        REQUIRE(found.size() == 1);
        CHECK(found[0].topic == "schedule");
        CHECK(found[0].what == "the schedule \"nightly\" of the queue \"mail\" is late by 3h");
        db.exec("UPDATE {s}.schedule SET paused_at = now()");
        check_healthy(db);
    }
}

TEST_CASE("a doctor says where autovacuum left dead rows", "[integration][doctor]") {
    const database db;
    db.exec(
        "INSERT INTO {s}.unique_key (digest, job_id, scope) SELECT sha256(i::text::bytea), i, 'f' FROM "
        "generate_series(1, 500) i");
    db.exec("ALTER TABLE {s}.unique_key SET (autovacuum_vacuum_threshold = 1000000)");
    db.exec("DELETE FROM {s}.unique_key");
    const auto is_there = [&] {
        db.exec("SELECT 1");  // the session reports its statistics behind a statement
        const auto found = examine(db, {.dead_rows = 400});
        return found.size() == 1 && found[0].topic == "dead_rows" &&
               found[0].what.find("\"unique_key\"") != std::string::npos;
    };
    REQUIRE(test::eventually(is_there));
    // VACUUM leaves rows that a snapshot of another test may still see.
    CHECK(test::eventually([&] {
        for (const auto& f : examine(db, {.dead_rows = 400})) repair(db, f);
        return examine(db, {.dead_rows = 400}).empty();
    }));
}

TEST_CASE("a doctor works with the rights of a reader, and notes what a role may not read",
          "[integration][doctor][direct]") {
    const database db;
    const test::roles roles{db.schema()};
    const auto as = [&](const std::string& role) {
        return admin{driver::libpq{{.conninfo = test::roles::conninfo_as(role, db.conninfo()), .schema = db.schema()}}};
    };
    check_healthy(db);
    const doctor_options with_roles{.roles = roles.names()};
    CHECK(examine(db, with_roles).empty());
    for (const auto& [sql, what] : std::vector<std::pair<std::string, std::string>>{
             {"REVOKE ALL ON SCHEMA {s} FROM \"" + roles.names().producer + "\"",
              "the role \"" + roles.names().producer + "\" has no right on the schema"},
             {"REVOKE ALL ON {s}.minute FROM \"" + roles.names().reader + "\"",
              "the role \"" + roles.names().reader + "\" has no right on minute"},
             {"REVOKE ALL ON FUNCTION {s}.compact FROM \"" + roles.names().worker + "\"",
              "the role \"" + roles.names().worker + "\" has no right on compact(bigint, bigint, bigint, bigint)"}}) {
        db.exec(sql);
        const auto lacks = examine(db, with_roles);
        INFO(text_of(lacks));
        REQUIRE(lacks.size() == 1);
        CHECK(lacks[0].topic == "rights");
        CHECK(lacks[0].what == what);
        CHECK(examine(db).empty());  // these roles own nothing here
        repair(db, lacks[0]);
        CHECK(examine(db, with_roles).empty());
    }
    auto reader = as(roles.names().reader);
    for (const auto& f : examine(reader))
        CHECK(f.what.find("does not see what other sessions do") != std::string::npos);
    auto producer = as(roles.names().producer);
    const auto found = examine(producer);
    INFO(text_of(found));
    CHECK(std::any_of(found.begin(), found.end(), [](const finding& f) {
        return f.what == "the state of jobs and workers was not checked: this role may not read it";
    }));
    for (const auto& f : found) CHECK(f.topic == "unchecked");
    db.exec("ALTER TABLE {s}.lane OWNER TO CURRENT_USER");
    const auto owned = examine(db);
    REQUIRE(owned.size() == 1);
    CHECK(owned[0].topic == "rights");
    CHECK(owned[0].what == "the table \"lane\" does not belong to the owner of the schema");
    repair(db, owned[0]);
    check_healthy(db);
}

TEST_CASE("a doctor says which settings slow down or stop the queue", "[integration][doctor][direct]") {
    const database db;
    const auto with = [&](const char* options) {
        admin ops{driver::libpq{
            {.conninfo = database::settings_of(db.conninfo(), "options", options), .schema = db.schema()}}};
        return examine(ops);
    };
    const auto counts = with("-c track_counts=off");
    INFO(text_of(counts));
    REQUIRE(counts.size() == 1);
    CHECK(counts[0].topic == "settings");
    CHECK(counts[0].what == "track_counts is off: dead rows stay, and each claim becomes slower");
    CHECK(counts[0].sql == "ALTER SYSTEM SET track_counts = on;");
    const auto writes = with("-c default_transaction_read_only=on");
    REQUIRE(writes.size() == 1);
    CHECK(writes[0].severity == severity::error);
    CHECK(writes[0].what.starts_with("default_transaction_read_only is on"));
}

TEST_CASE("a missing or an old installation is a finding", "[integration][doctor]") {
    admin nothing{driver::libpq{{.conninfo = test::dsn(), .schema = "pgq_is_not_here"}}};
    const auto found = nothing.doctor().value();
    REQUIRE(found.size() == 1);
    CHECK(found[0].severity == severity::error);
    CHECK(found[0].topic == "version");
    CHECK(found[0].what == "there are no pgq tables in schema \"pgq_is_not_here\"");
    const database db;
    db.exec("DELETE FROM {s}.migration WHERE version = (SELECT max(version) FROM {s}.migration)");
    admin older{db.driver()};
    CHECK(older.doctor().value().at(0).topic == "version");
}

TEST_CASE("a doctor leaves the settings of a borrowed transaction as they were", "[integration][doctor][direct]") {
    const database db;
    const test::sql_connection mine{database::settings_of(db.conninfo(), "client_encoding", "UTF8"), db.schema()};
    const char* const settings =
        "SELECT concat_ws(';', current_setting('search_path'), current_setting('statement_timeout'),"
        " current_setting('intervalstyle'), current_setting('quote_all_identifiers'),"
        " current_setting('transaction_read_only'))";
    (void)mine.exec("SET intervalstyle = iso_8601; SET quote_all_identifiers = on; BEGIN");
    const std::string before = mine.query_text(settings);
    admin ops{driver::borrow{mine.get(), {.schema = db.schema()}}};
    const auto found = ops.doctor().value();
    INFO(text_of(found));
    CHECK(found.empty());
    CHECK(mine.query_text(settings) == before);
    (void)mine.exec("COMMIT");
    CHECK(ops.doctor().has_value());
    CHECK(mine.query_text(settings) == before);
}

}  // namespace integration_doctor
