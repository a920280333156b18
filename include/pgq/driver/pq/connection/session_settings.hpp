#pragma once

#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/statement/query.hpp>

#include <cstdint>

/// What the library relies on in its own sessions, whatever the defaults of the role and of the database are.
namespace pgq::driver::pq {

/// Statements see what was committed before them, and end when they are done: a server that is silent for
/// `response_timeout` is given up. A database that is made read-only stays so. The planner may use each kind of plan; a
/// statement that needs one kind is in a function that forbids the others, or in a worker's session. pg_catalog is the
/// first schema of the search path: where the path names it behind others, it is the first by not being named. Warnings
/// come, because one of them says that a commit did not wait for its standby.
///
/// It changes nothing when the server process is not $1: a pooler would give the session to others. $1 = 0: in any
/// case. Servers do not know all of the last settings. The plan has no node that a setting could forbid, because such a
/// plan would be compiled first.
inline constexpr statement::query make_session_settings{"make_session_settings", R"(
SELECT CASE WHEN $1 = 0 OR pg_catalog.pg_backend_pid() = $1 THEN pg_catalog.num_nulls(
       pg_catalog.set_config('default_transaction_isolation', 'read committed', false),
       pg_catalog.set_config('default_transaction_deferrable', 'off', false),
       pg_catalog.set_config('standard_conforming_strings', 'on', false),
       pg_catalog.set_config('transform_null_equals', 'off', false),
       pg_catalog.set_config('array_nulls', 'on', false), pg_catalog.set_config('statement_timeout', '0', false),
       pg_catalog.set_config('lock_timeout', '0', false),
       pg_catalog.set_config('idle_in_transaction_session_timeout', '0', false),
       pg_catalog.set_config('client_min_messages', 'warning', false),
       pg_catalog.set_config('plan_cache_mode', 'auto', false), pg_catalog.set_config('jit', 'off', false),
       pg_catalog.set_config('from_collapse_limit', '8', false),
       pg_catalog.set_config('join_collapse_limit', '8', false),
       pg_catalog.set_config('enable_seqscan', 'on', false), pg_catalog.set_config('enable_indexscan', 'on', false),
       pg_catalog.set_config('enable_indexonlyscan', 'on', false),
       pg_catalog.set_config('enable_bitmapscan', 'on', false),
       pg_catalog.set_config('enable_tidscan', 'on', false), pg_catalog.set_config('enable_nestloop', 'on', false),
       pg_catalog.set_config('enable_hashjoin', 'on', false), pg_catalog.set_config('enable_mergejoin', 'on', false),
       pg_catalog.set_config('enable_hashagg', 'on', false), pg_catalog.set_config('enable_sort', 'on', false),
       pg_catalog.set_config('enable_material', 'on', false),
       pg_catalog.set_config('search_path',
       pg_catalog.ltrim(pg_catalog.regexp_replace(pg_catalog.current_setting('search_path'),
           '(^|,) *"?pg_catalog"? *(?=,|$)', '', 'g'), ', '), false),
       CASE WHEN pg_catalog.current_setting('enable_incremental_sort', true) <> 'on'
           THEN pg_catalog.set_config('enable_incremental_sort', 'on', false) END,
       CASE WHEN pg_catalog.current_setting('enable_memoize', true) <> 'on'
           THEN pg_catalog.set_config('enable_memoize', 'on', false) END,
       CASE WHEN pg_catalog.current_setting('idle_session_timeout', true) <> '0'
           THEN pg_catalog.set_config('idle_session_timeout', '0', false) END,
       CASE WHEN pg_catalog.current_setting('transaction_timeout', true) <> '0'
           THEN pg_catalog.set_config('transaction_timeout', '0', false) END) END)",
                                                        false};

/// Adds the settings to the first batch of a session of our own. `backend` is the process id that the server gave the
/// client when it connected.
inline void add_session_settings(batch& out, session_state state, std::int32_t backend) {
    if (state == session_state::none) return;
    out.add(make_session_settings).number(state == session_state::keep ? std::int32_t{0} : backend);
    out.end_transaction();
}

}  // namespace pgq::driver::pq
