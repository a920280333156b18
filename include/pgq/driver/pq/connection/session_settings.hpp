#pragma once

#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

/// What the library relies on in its own sessions, whatever the defaults of the role and of the database are.
namespace pgq::driver::pq {

/// Statements see what was committed before them, and end when they are done, or after `statement_timeout` of the
/// options: a server that is silent for `response_timeout` is given up. A database that is made read-only stays so. The
/// planner may use each kind of plan; a statement that needs one kind is in a function that forbids the others, or in a
/// worker's session. pg_catalog is the first schema of the search path: where the path names it behind others, it is
/// the first by not being named. Warnings come, because one of them says that a commit did not wait for its standby.
/// Policies of row level security hide rows instead of refusing each statement; a worker says at its start what they
/// hide.
///
/// It changes nothing when the server process is not $1: a pooler would give the session to others. $1 = 0: in any
/// case. $2: for the transaction only. Then the statements of the transaction note nothing for the session either. $3:
/// the time limit of a statement. Servers do not know all of the last settings. The plan has no node that a setting
/// could forbid, because such a plan would be compiled first.
inline constexpr statement::query make_session_settings{"make_session_settings", R"(
SELECT CASE WHEN $1 = 0 OR pg_catalog.pg_backend_pid() = $1 THEN pg_catalog.num_nulls(
       pg_catalog.set_config('default_transaction_isolation', 'read committed', $2),
       pg_catalog.set_config('default_transaction_deferrable', 'off', $2),
       pg_catalog.set_config('standard_conforming_strings', 'on', $2),
       pg_catalog.set_config('transform_null_equals', 'off', $2),
       pg_catalog.set_config('array_nulls', 'on', $2), pg_catalog.set_config('statement_timeout', $3, $2),
       pg_catalog.set_config('lock_timeout', '0', $2),
       pg_catalog.set_config('idle_in_transaction_session_timeout', '0', $2),
       pg_catalog.set_config('client_min_messages', 'warning', $2),
       pg_catalog.set_config('row_security', 'on', $2),
       pg_catalog.set_config('plan_cache_mode', 'auto', $2), pg_catalog.set_config('jit', 'off', $2),
       pg_catalog.set_config('from_collapse_limit', '8', $2),
       pg_catalog.set_config('join_collapse_limit', '8', $2),
       pg_catalog.set_config('enable_seqscan', 'on', $2), pg_catalog.set_config('enable_indexscan', 'on', $2),
       pg_catalog.set_config('enable_indexonlyscan', 'on', $2),
       pg_catalog.set_config('enable_bitmapscan', 'on', $2),
       pg_catalog.set_config('enable_tidscan', 'on', $2), pg_catalog.set_config('enable_nestloop', 'on', $2),
       pg_catalog.set_config('enable_hashjoin', 'on', $2), pg_catalog.set_config('enable_mergejoin', 'on', $2),
       pg_catalog.set_config('enable_hashagg', 'on', $2), pg_catalog.set_config('enable_sort', 'on', $2),
       pg_catalog.set_config('enable_material', 'on', $2),
       pg_catalog.set_config('search_path',
       pg_catalog.ltrim(pg_catalog.regexp_replace(pg_catalog.current_setting('search_path'),
           '(^|,) *"?pg_catalog"? *(?=,|$)', '', 'g'), ', '), $2),
       CASE WHEN pg_catalog.current_setting('enable_incremental_sort', true) <> 'on'
           THEN pg_catalog.set_config('enable_incremental_sort', 'on', $2) END,
       CASE WHEN pg_catalog.current_setting('enable_memoize', true) <> 'on'
           THEN pg_catalog.set_config('enable_memoize', 'on', $2) END,
       CASE WHEN pg_catalog.current_setting('idle_session_timeout', true) <> '0'
           THEN pg_catalog.set_config('idle_session_timeout', '0', $2) END,
       CASE WHEN pg_catalog.current_setting('transaction_timeout', true) <> '0'
           THEN pg_catalog.set_config('transaction_timeout', '0', $2) END,
       CASE WHEN $2 THEN pg_catalog.set_config('pgq.stateless', 'on', true) END) END)",
                                                        false};

/// The settings of worker sessions: plans that do not change with the statistics, and commits that do not wait for the
/// disk, because a lost commit merely repeats a job. $1: synchronous_commit. $2: for the transaction only.
inline constexpr statement::query pin_plans{"pin_plans", R"(
SELECT set_config('plan_cache_mode', 'force_generic_plan', $2), set_config('jit', 'off', $2),
       set_config('enable_seqscan', 'off', $2), set_config('enable_bitmapscan', 'off', $2),
       set_config('enable_hashjoin', 'on', $2), set_config('synchronous_commit', $1, $2))"};

/// The isolation level of the present transaction. set_config() could not do it: a SELECT has a snapshot already. As a
/// plain SET it lasts for the transaction, and the server does not warn that no transaction block is open.
inline constexpr statement::query read_committed{"read_committed", "SET transaction_isolation = 'read committed'",
                                                 false};

/// The same two, for the beginning of a transaction in a session that others use, too.
inline constexpr statement::query make_transaction_settings = make_session_settings.as_stored();
inline constexpr statement::query pin_plans_of_transaction = pin_plans.as_stored();

/// A time limit as the server reads it: whole milliseconds, at least one unless there is none.
inline std::string milliseconds_text(duration d) {
    return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(std::max(d, duration{})).count()) + "ms";
}

/// Adds the settings for a session that keeps them. `backend` is the process id that the session must have; otherwise
/// nothing is set.
inline void add_session_settings(batch& out, std::int32_t backend, const connection_options& o) {
    out.add(make_session_settings).number(backend).boolean(false).text(milliseconds_text(o.statement_timeout));
    out.end_transaction();
}

/// Adds the settings of a worker's session.
inline void add_worker_settings(batch& out, bool strict) {
    out.add(pin_plans).text(strict ? "on" : "off").boolean(false);
    out.end_transaction();
}

/// All three, for the beginning of each transaction where the session may be shared with others.
inline batch transaction_settings(bool worker, const connection_options& o) {
    batch out;
    out.add(read_committed);
    out.add(make_transaction_settings)
        .number(std::int32_t{0})
        .boolean(true)
        .text(milliseconds_text(o.statement_timeout));
    if (worker) out.add(pin_plans_of_transaction).text(o.strict ? "on" : "off").boolean(true);
    return out;
}

}  // namespace pgq::driver::pq
