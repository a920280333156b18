#pragma once

#include <pgq/error/result.hpp>
#include <pgq/schema/generated.hpp>
#include <pgq/schema/install_sql.hpp>
#include <pgq/schema/script_text.hpp>
#include <pgq/statement/query.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace pgq {
namespace schema::script {

// pg_identify_object_as_address() names the schema first, also of what has no schema itself: of the rule of a view, of
// a trigger, of a constraint.
inline constexpr std::string_view check_before_drop = R"(
DECLARE
    ns oid := pg_catalog.to_regnamespace({s_name});
    names text;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    PERFORM {lock};
    IF (SELECT count(*) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE c.relnamespace = ns AND c.relname = 'migration' AND a.attname IN ('version', 'name', 'checksum')) < 3
       OR (SELECT count(*) FROM pg_class c WHERE c.relnamespace = ns AND c.relname IN ('lane', 'ready', 'lease')) < 3
    THEN
        RAISE EXCEPTION USING ERRCODE = '3F000', MESSAGE = 'there are no pgq tables in the schema ' || {s_name},
                              HINT = 'nothing is deleted; name the right schema';
    END IF;
    IF (SELECT max(version) FROM {s}.migration) > {newest} THEN
        RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'the database has a newer version of pgq than this script',
                              HINT = 'nothing is deleted; uninstall with the newer version';
    END IF;

    SELECT string_agg(i.type || ' ' || i.identity, ', ' ORDER BY i.identity) INTO names
      FROM pg_depend d CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) i
     WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = ns AND d.deptype = 'n'
       AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (
            SELECT FROM pg_class c WHERE c.oid = d.objid AND (
                c.relkind IN ('r', 'v') AND c.relname IN ({tables}, 'migration', 'job')
                OR c.relkind = 'S' AND EXISTS (
                    SELECT FROM pg_depend o JOIN pg_class t ON t.oid = o.refobjid
                     WHERE o.classid = 'pg_class'::regclass AND o.objid = c.oid
                       AND o.refclassid = 'pg_class'::regclass AND o.deptype IN ('a', 'i') AND t.relnamespace = ns))))
       AND NOT (d.classid = 'pg_type'::regclass AND EXISTS (
            SELECT FROM pg_type t WHERE t.oid = d.objid AND t.typtype = 'c' AND t.typname IN ({types})))
       AND NOT (d.classid = 'pg_proc'::regclass AND EXISTS (
            SELECT FROM pg_proc p WHERE p.oid = d.objid AND (
                p.proname IN ({functions}) OR obj_description(p.oid, 'pg_proc') LIKE 'pgq sql\_functions %')));
    IF names IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '2BP01', MESSAGE = 'the schema has more than pgq has made: ' || names,
                              HINT = 'nothing is deleted; move or drop these first';
    END IF;

    SELECT string_agg(DISTINCT i.type || ' ' || i.identity, ', ') INTO names
      FROM pg_depend d CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) i
     CROSS JOIN LATERAL pg_identify_object_as_address(d.classid, d.objid, d.objsubid) a
     WHERE d.deptype IN ('n', 'a') AND a.object_names[1] <> {s_text}
       AND (d.refclassid = 'pg_class'::regclass AND d.refobjid IN (SELECT oid FROM pg_class WHERE relnamespace = ns)
            OR d.refclassid = 'pg_proc'::regclass AND d.refobjid IN (SELECT oid FROM pg_proc WHERE pronamespace = ns)
            OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (SELECT oid FROM pg_type WHERE typnamespace = ns));
    IF names IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '2BP01', MESSAGE = 'other objects need the schema: ' || names,
                              HINT = 'nothing is deleted; drop these first';
    END IF;
END )";

}  // namespace schema::script

/// The first half of uninstall_sql: it changes nothing, and fails if the second half must not run.
inline result<std::string> uninstall_check_sql(const install_options& o = {}) {
    if (auto valid = schema::check_name(o.schema); !valid) return std::move(valid.error());
    const std::string s = statement::quoted(o.schema);
    return "DO " +
           schema::dollar_quoted(schema::filled(schema::script::check_before_drop,
                                                {{"s", s},
                                                 {"s_name", schema::literal(s)},
                                                 {"s_text", schema::literal(o.schema)},
                                                 {"lock", schema::install_lock(o.schema)},
                                                 {"newest", std::to_string(schema::version)},
                                                 {"tables", schema::created_by("CREATE TABLE ")},
                                                 {"types", schema::created_by("CREATE TYPE ")},
                                                 {"functions", schema::created_by("CREATE FUNCTION ")}})) +
           ";\n";
}

/// A script that deletes the schema with all jobs: `psql -1 -v ON_ERROR_STOP=1 -f uninstall.sql`. It fails and deletes
/// nothing if the schema has no pgq tables, if it has more than pgq has made, or if something outside of it needs it,
/// such as a view. Functions of pgq::sql_functions go with it; roles stay. Stop the workers before.
///
/// Errors: errc::invalid_name, for a name of the schema that PostgreSQL does not accept.
inline result<std::string> uninstall_sql(const install_options& o = {}) {
    auto check = uninstall_check_sql(o);
    if (!check) return check;
    return "-- Deletes the schema of pgq with all jobs. Run it as one transaction: "
           "psql -1 -v ON_ERROR_STOP=1 -f this_file\n\n" +
           *check + "\nDROP SCHEMA " + statement::quoted(o.schema) + " CASCADE;\n";
}

}  // namespace pgq
