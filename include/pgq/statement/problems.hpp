#pragma once

#include <pgq/statement/query.hpp>

namespace pgq::statement {

/// What of the database makes jobs fail or wait without a message, one row for each kind: the kind, the tables, whether
/// no worker can work, the role of the session. It reads a few rows of the catalog, and of publications only where a
/// table has no replica identity.
///
/// h: row level security hides all rows of the tables from this role. A worker must also delete rows of two of them.
/// f: row level security applies to this role, with policies.
/// i: a publication has the tables, and they have no replica identity, so that nobody can change their rows.
/// v: autovacuum is off for the tables, or for the server.
inline constexpr query find_problems{"find_problems", R"(
WITH t AS MATERIALIZED (
    SELECT c.oid, c.relname::text AS name, c.relname IN ('lane', 'ready', 'lease', 'claim_slot', 'worker') AS vital,
           c.relreplident AS identity, c.reloptions AS options, row_security_active(c.oid) AS secured
      FROM pg_catalog.pg_class c
     WHERE c.relnamespace = to_regnamespace('{q}') AND c.relkind = 'r'
       AND c.relname = ANY ('{lane,ready,pack,deferred,lease,claim_slot,worker,tracked,outcome,unique_key,dependency,
                              failure,lane_limit,paused,paused_lane,schedule,request,minute,hour}'::name[])),
secured AS (
    SELECT t.name, t.vital, p.selects IS NOT TRUE
                            OR t.name IN ('ready', 'lease') AND p.deletes IS NOT TRUE AS hidden
      FROM t CROSS JOIN LATERAL (
          SELECT bool_or(p.polcmd IN ('r', '*')) AS selects, bool_or(p.polcmd IN ('d', '*')) AS deletes
            FROM pg_catalog.pg_policy p
           WHERE p.polrelid = t.oid AND p.polpermissive
             AND EXISTS (SELECT FROM unnest(p.polroles) r
                          WHERE CASE WHEN r = 0 THEN true ELSE pg_has_role(r, 'USAGE') END)) p
     WHERE t.secured),
problem AS (
    SELECT CASE WHEN hidden THEN 'h' ELSE 'f' END AS kind, name, hidden AND vital AS prevents FROM secured
     UNION ALL
    SELECT 'i', name, vital FROM t
     WHERE CASE t.identity
               WHEN 'n' THEN true
               WHEN 'd' THEN NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = t.oid AND i.indisprimary)
               WHEN 'i' THEN NOT EXISTS (SELECT FROM pg_catalog.pg_index i
                                          WHERE i.indrelid = t.oid AND i.indisreplident)
               ELSE false END
       AND EXISTS (SELECT FROM pg_catalog.pg_publication p
                    WHERE (p.pubupdate OR p.pubdelete)
                      AND CASE WHEN p.puballtables THEN true
                               ELSE EXISTS (SELECT FROM pg_catalog.pg_publication_tables l
                                             WHERE l.pubname = p.pubname AND l.tablename = t.name
                                               AND to_regnamespace(quote_ident(l.schemaname))
                                                 = to_regnamespace('{q}')) END)
     UNION ALL
    SELECT 'v', name, false FROM t
     WHERE current_setting('autovacuum') = 'off' OR current_setting('track_counts') = 'off'
        OR EXISTS (SELECT FROM pg_options_to_table(t.options)
                    WHERE option_name = 'autovacuum_enabled' AND NOT option_value::bool))
SELECT kind, string_agg(name, ', ' ORDER BY name), bool_or(prevents), current_user::text FROM problem
 GROUP BY kind ORDER BY min(position(kind IN 'hifv')))",
                                     false};

}  // namespace pgq::statement
