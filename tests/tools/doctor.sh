#!/usr/bin/env bash
# doctor.sh PGQ: findings in each format, the script that repairs, exit codes.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

refuses 4 'there are no pgq tables in schema "pgq_jobs"; run "pgq install"' doctor
own_roles
pgq install --roles "${roles[@]}" >/dev/null
# Other tests of this server may have old transactions.
doctor=(doctor --old-snapshot 24h "${roles[@]}")
prints 'nothing is wrong' "${doctor[@]}"
prints '[]' "${doctor[@]}" --format json
prints '' "${doctor[@]}" --sql

# Warnings leave the exit status at 0; ages grow while the test runs.
add_jobs mail send 3
no_age() { sed -E 's/since [0-9.]+m?s/since AGE/'; }
expect "a warning" "$(pgq "${doctor[@]}" | no_age)" 'warning lane: no live worker serves "send" of the queue "mail": 3 jobs wait, the first since AGE
  start a worker for it, or move or cancel the jobs'
sql "INSERT INTO pgq_jobs.worker (id, lease_time, heartbeat_at, host, pid, version, lanes)
     VALUES (7, '1 s', now() - interval '3 days', 'far', 42, '', '{1}')"
sql "INSERT INTO pgq_jobs.lease (id, worker, lane, max_attempts, ids, ranks, attempts, bodies, enqueued_at)
     VALUES (1, 7, 1, 5, '{11}', '{-1}', '{1}', '{x}', ARRAY[now()])"
expect_like "a remedy for a shell" "$(pgq "${doctor[@]}")" 'or run "pgq workers forget 7"'
expect_like "the age" "$(pgq "${doctor[@]}")" 'has no heartbeat since 3d, and'
pgq workers forget 7 >/dev/null
sql 'DELETE FROM pgq_jobs.ready'

# Errors end with 1, with --sql, too. The script repairs all of it.
sql 'DROP INDEX pgq_jobs.deferred_held'
sql 'GRANT CREATE ON SCHEMA pgq_jobs TO PUBLIC'
sql 'REVOKE SELECT ON pgq_jobs.lane FROM rea'"$suffix"
sql 'ALTER TABLE pgq_jobs.ready SET (autovacuum_enabled = false)'
sql 'ALTER TABLE pgq_jobs.lease SET (autovacuum_enabled = false)'
ends 1 "\
error rights: everybody may create objects in the schema, and so run code with the rights of its owner
  run the statement
    REVOKE CREATE ON SCHEMA \"pgq_jobs\" FROM PUBLIC;

error rights: the role \"rea$suffix\" has no right on lane
  run the script of \"pgq sql roles\" again
    (a script: \"pgq doctor --sql\" prints it)

warning drift: the index \"deferred_held\" of the table \"deferred\" is missing
  run the statement; while jobs run, with CREATE INDEX CONCURRENTLY outside of a transaction
    CREATE INDEX \"deferred_held\" ON \"pgq_jobs\".\"deferred\" USING btree (lane, id) WHERE kind = 'h'::\"char\";

warning autovacuum: autovacuum is off for lease, ready: dead rows stay, and each claim becomes slower
  ALTER TABLE ... RESET (autovacuum_enabled), and autovacuum = on and track_counts = on of the server
    ALTER TABLE \"pgq_jobs\".\"lease\" RESET (autovacuum_enabled);
    ALTER TABLE \"pgq_jobs\".\"ready\" RESET (autovacuum_enabled);" "${doctor[@]}"
expect "topics" "$(expect_exit 1 pgq "${doctor[@]}" --format json | python3 -c '
import json, sys
print([(f["severity"], f["topic"]) for f in json.load(sys.stdin)])')" \
    "[('error', 'rights'), ('error', 'rights'), ('warning', 'drift'), ('warning', 'autovacuum')]"
expect_exit 1 pgq "${doctor[@]}" --sql >"$work/repair.sql"
expect_like "a comment before each" "$(cat "$work/repair.sql")" $'\n-- warning drift: the index "deferred_held" .*\nCREATE INDEX'
expect_like "statements of one finding" "$(cat "$work/repair.sql")" \
    $'\nBEGIN;\nALTER TABLE "pgq_jobs"."lease" RESET [^\n]*\nALTER TABLE "pgq_jobs"."ready" RESET [^\n]*\nCOMMIT;'
PGOPTIONS="-c client_min_messages=warning" psql -X -q -v ON_ERROR_STOP=1 -f "$work/repair.sql" "$PGQ_DSN" >/dev/null
prints 'nothing is wrong' "${doctor[@]}"

# A comment of the script is one line, whatever the names are.
sql "SELECT pgq_jobs.pause(E'a\nDROP SCHEMA pgq_jobs CASCADE; --', '', 'x')" >/dev/null
expect "a short pause" "$(pgq "${doctor[@]}")" 'nothing is wrong'
expect "statements" "$(pgq "${doctor[@]}" --sql --long-pause 0s | grep -c '^DROP')" 1 # inside of a literal
pgq "${doctor[@]}" --sql --long-pause 0s >"$work/repair.sql"
PGOPTIONS="-c client_min_messages=warning" psql -X -q -v ON_ERROR_STOP=1 -f "$work/repair.sql" "$PGQ_DSN" >/dev/null
expect "pauses" "$(sql 'SELECT count(*) FROM pgq_jobs.paused')" 0

# Bounds, wrong use, and a role that may not look.
refuses 2 '.*--late: "soon" is no time' doctor --late soon
refuses 2 '.*--dead-rows' doctor --dead-rows -1
refuses 3 '.*' doctor --dsn host=/nowhere
sql 'UPDATE pgq_jobs.migration SET version = version + 1000 WHERE version = (SELECT max(version) FROM pgq_jobs.migration)'
refuses 4 '.*use a newer pgq' doctor
