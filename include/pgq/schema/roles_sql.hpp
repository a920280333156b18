#pragma once

#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/schema/script_text.hpp>
#include <pgq/statement/query.hpp>

#include <string>
#include <string_view>

namespace pgq {

/// The schema, and the names of its five roles.
struct role_options {
    std::string schema = "pgq_jobs";         ///< `connection_options::schema`
    std::string owner = "pgq_owner";         ///< owns the schema: installs and upgrades
    std::string producer = "pgq_producer";   ///< enqueues and waits for results; reads no payload
    std::string worker = "pgq_worker";       ///< runs jobs, and may do what a producer may
    std::string operators = "pgq_operator";  ///< reads payloads, cancels, requeues, moves, pauses, changes limits
    std::string reader = "pgq_reader";       ///< reads everything but payloads and results
};

namespace schema {

// {s} is the quoted schema; {owner} and so on are quoted names; {all} are the four roles that are not the owner.
//
// A producer may write the columns that the statements of the library write, and no others: not the number of attempts,
// not the time of the enqueue. Whatever it needs beyond that, functions of the owner do.
inline constexpr std::string_view roles_of_the_cluster = R"(
DECLARE
    name text;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    FOREACH name IN ARRAY ARRAY[{names}] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        END IF;
    END LOOP;
    IF to_regclass({s_name} || '.migration') IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '3F000', MESSAGE = 'there are no pgq tables in the schema ' || {s_name},
                              HINT = 'install first: call install() or run the script of pgq::install_sql()';
    END IF;
    -- Only a member of a role can give it something to own.
    IF NOT pg_catalog.pg_has_role(session_user, {owner_name}, 'MEMBER') THEN
        EXECUTE format('GRANT %I TO %I', {owner_name}, session_user);
    END IF;
END )";

inline constexpr std::string_view owner_and_readers = R"(
DECLARE
    o record;
    visible text;
    new_owner oid := (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = {owner_name});
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    IF (SELECT n.nspowner FROM pg_catalog.pg_namespace n WHERE n.oid = to_regnamespace({s_name})) <> new_owner THEN
        ALTER SCHEMA {s} OWNER TO {owner};
    END IF;
    FOR o IN SELECT c.oid, c.oid::regclass AS name, c.relowner FROM pg_catalog.pg_class c
              WHERE c.relnamespace = to_regnamespace({s_name}) AND c.relname IN ({tables}, 'migration', 'job') LOOP
        IF o.relowner <> new_owner THEN EXECUTE format('ALTER TABLE %s OWNER TO %I', o.name, {owner_name}); END IF;
        EXECUTE format('REVOKE ALL ON %s FROM PUBLIC', o.name) || {comma_all};
        SELECT string_agg(format('%I', a.attname), ', ') INTO visible FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
           AND a.attname NOT IN ('body', 'bodies', 'result');
        EXECUTE format('GRANT SELECT (%s) ON %s TO %I', visible, o.name, {reader_name});
        EXECUTE format('GRANT SELECT ON %s TO %I', o.name, {operator_name});
    END LOOP;
    FOR o IN SELECT p.oid::regprocedure AS name, p.proowner, p.prorettype FROM pg_catalog.pg_proc p
              WHERE p.pronamespace = to_regnamespace({s_name}) AND p.proname IN ({functions}) LOOP
        IF o.proowner <> new_owner THEN EXECUTE format('ALTER FUNCTION %s OWNER TO %I', o.name, {owner_name}); END IF;
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', o.name) || {comma_all};
        IF o.prorettype <> 'trigger'::regtype THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', o.name, {worker_name});
        END IF;
    END LOOP;
    FOR o IN SELECT t.oid::regtype AS name, t.typowner FROM pg_catalog.pg_type t
              WHERE t.typnamespace = to_regnamespace({s_name}) AND t.typname IN ({types}) LOOP
        IF o.typowner <> new_owner THEN EXECUTE format('ALTER TYPE %s OWNER TO %I', o.name, {owner_name}); END IF;
    END LOOP;
END )";

inline constexpr std::string_view grants = R"(
REVOKE ALL ON SEQUENCE {s}.job_id, {s}.lease_number FROM PUBLIC, {all};
GRANT USAGE ON SCHEMA {s} TO {all};

-- Producers.
GRANT SELECT ON {s}.migration TO {producer};
GRANT SELECT, INSERT (queue, entrypoint, version) ON {s}.lane TO {producer};
GRANT INSERT (lane, number) ON {s}.claim_slot TO {producer};
GRANT SELECT (id, lanes, queue_prefix, queues, entrypoints, versions) ON {s}.worker TO {producer};
GRANT USAGE ON SEQUENCE {s}.job_id TO {producer};
GRANT SELECT (id), INSERT (id, rank, lane, headers, key, body) ON {s}.ready TO {producer};
GRANT SELECT (ids), INSERT (id, rank, lane, n, ids, bodies) ON {s}.pack TO {producer};
GRANT INSERT (run_at, kind, id, rank, lane, headers, key, body) ON {s}.deferred TO {producer};
GRANT SELECT (id, held, progress) ON {s}.tracked TO {producer};
GRANT EXECUTE ON FUNCTION {s}.enqueue_tracked, {s}.watch, {s}.count_open_jobs, {s}.open_lane, {s}.pause_lane,
    {s}.stored_make_session_settings, {s}.stored_wake, {s}.stored_wake_all_collected TO {producer};

-- Workers.
GRANT {producer} TO {worker};
GRANT USAGE ON SEQUENCE {s}.lease_number TO {worker};
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.ready, {s}.pack, {s}.deferred, {s}.lease, {s}.worker, {s}.tracked,
    {s}.unique_key, {s}.request, {s}.dependency, {s}.outcome, {s}.failure, {s}.minute, {s}.hour
    TO {worker};
GRANT SELECT, INSERT, UPDATE ON {s}.claim_slot, {s}.lane_limit TO {worker};
GRANT SELECT (queue, name, lane, expression, zone, jitter, starts_at, ends_at, missed_count, missed_age, overlap,
    next_at, fired_at, fired_job, paused_at, pause_reason, declared_at) ON {s}.schedule TO {worker};
GRANT SELECT ON {s}.paused, {s}.paused_lane TO {worker};
REVOKE EXECUTE ON FUNCTION {s}.cancel, {s}.requeue, {s}.pause, {s}.resume, {s}.run_now, {s}.drop_held, {s}.move_jobs,
    {s}.forget_worker FROM {worker};

-- Readers and operators.
GRANT EXECUTE ON FUNCTION {s}.count_open_jobs, {s}.buckets, {s}.count_capped, {s}.latest_failures,
    {s}.list_jobs, {s}.scan_ready, {s}.failed_groups, {s}.stored_make_session_settings TO {reader};
GRANT {reader} TO {operator};
GRANT UPDATE (dead_letters, keep_failures) ON {s}.lane TO {operator};
GRANT UPDATE (amount, per, burst, tokens) ON {s}.lane_limit TO {operator};
GRANT EXECUTE ON FUNCTION {s}.cancel, {s}.requeue, {s}.pause, {s}.resume, {s}.change_schedule, {s}.prune_schedules,
    {s}.run_now, {s}.drop_held, {s}.move_jobs, {s}.forget_worker, {s}.stored_wake, {s}.stored_wake_all_collected
    TO {operator};
)";

}  // namespace schema

/// A script that makes the five roles, if they are missing, and gives each only the rights that it needs in the schema.
/// The roles cannot log in: grant them to roles that can. The owner gets the schema and all of its objects.
///
/// Run it as one transaction after each installation and upgrade, as a superuser or as the role that has installed and
/// may create roles: `psql -1 -v ON_ERROR_STOP=1 -f roles.sql`. It may run again. docs/guides/roles.md has a table of
/// the rights.
///
/// Errors: errc::invalid_name, for a name that PostgreSQL does not accept, and if two roles have one name.
inline result<std::string> roles_sql(const role_options& o = {}) {
    const std::string* const names[] = {&o.owner, &o.producer, &o.worker, &o.operators, &o.reader, &o.schema};
    for (const auto* const name : names)
        if (name->empty() || name->size() > 63 || !detail::is_storable_text(*name))
            return error_info{errc::invalid_name, "the name of a role or schema is UTF-8 text of 1 to 63 bytes"};
    std::string literals;
    for (int i = 0; i < 5; ++i) {
        for (int k = 0; k < i; ++k)
            if (*names[i] == *names[k])
                return error_info{errc::invalid_name, "two roles are called " + statement::quoted(*names[i]),
                                  "each of the five has a name of its own"};
        literals += (i == 0 ? "" : ", ") + schema::literal(*names[i]);
    }
    const auto quoted = [](const std::string& name) { return statement::quoted(name); };
    const std::string s = quoted(o.schema), s_name = schema::literal(s);
    const std::string owner = quoted(o.owner), producer = quoted(o.producer), worker = quoted(o.worker),
                      operators = quoted(o.operators), reader = quoted(o.reader);
    const std::string all = producer + ", " + worker + ", " + operators + ", " + reader;
    const std::string owner_name = schema::literal(o.owner), worker_name = schema::literal(o.worker),
                      operator_name = schema::literal(o.operators), reader_name = schema::literal(o.reader),
                      comma_all = schema::literal(", " + all);
    const std::string tables = schema::created_by("CREATE TABLE "), functions = schema::created_by("CREATE FUNCTION "),
                      types = schema::created_by("CREATE TYPE ");
    const auto filled = [&](std::string_view text) {
        return schema::filled(text, {{"s", s},
                                     {"s_name", s_name},
                                     {"names", literals},
                                     {"owner", owner},
                                     {"owner_name", owner_name},
                                     {"producer", producer},
                                     {"worker", worker},
                                     {"worker_name", worker_name},
                                     {"operator", operators},
                                     {"operator_name", operator_name},
                                     {"reader", reader},
                                     {"reader_name", reader_name},
                                     {"all", all},
                                     {"comma_all", comma_all},
                                     {"tables", tables},
                                     {"functions", functions},
                                     {"types", types}});
    };
    return "-- The roles of the pgq schema. Run it as one transaction: psql -1 -v ON_ERROR_STOP=1 -f this_file\n\nDO " +
           schema::dollar_quoted(filled(schema::roles_of_the_cluster)) + ";\nDO " +
           schema::dollar_quoted(filled(schema::owner_and_readers)) + ";\n" + filled(schema::grants);
}

}  // namespace pgq
