#!/usr/bin/env bash
# schema.sh PGQ: install, upgrade, verify, uninstall and the scripts of sql.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

newest=$(find "$(dirname "${BASH_SOURCE[0]}")/../../sql" -name '*.sql' | wc -l)
drop_schema() { sql 'SET client_min_messages = warning; DROP SCHEMA pgq_jobs CASCADE'; }
has_schema() { sql "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgq_jobs'"; }

# No tables.
refuses 4 'there are no pgq tables in schema "pgq_jobs"; run "pgq install"' verify
refuses 4 'there are no pgq tables' upgrade
refuses 4 'there are no pgq tables' queues
refuses 4 '.*there are no pgq tables' uninstall --yes
prints 'schema "pgq_jobs" has no pgq tables' verify --expect absent
expect "missing migrations" "$(pgq install --dry-run --format csv | grep -c missing)" "$newest"
expect "schemas made by --dry-run" "$(has_schema)" 0

# Install, twice.
prints "schema \"pgq_jobs\" has version $newest" install
prints "schema \"pgq_jobs\" has version $newest" install
prints "schema \"pgq_jobs\" has version $newest" verify
prints "nothing to do: version $newest is the newest" upgrade
refuses 1 "schema \"pgq_jobs\" has pgq tables, version $newest; \"pgq uninstall\" deletes them" verify --expect absent
expect "applied migrations" "$(pgq upgrade --plan --format csv | grep -c applied)" "$newest"

# An older schema, made by the first two blocks of the script.
drop_schema
pgq sql install | awk '/^DO / { n++ } n <= 2' | psql -X -q -1 -v ON_ERROR_STOP=1 "$PGQ_DSN"
refuses 4 "schema \"pgq_jobs\" has version 1, this program knows $newest; run \"pgq upgrade\"" verify
refuses 4 "schema \"pgq_jobs\" has version 1, .*; run \"pgq upgrade\"" queues
expect "the plan" "$(pgq upgrade --plan --format csv | tr -d '\r' | head -n 3)" $'version,name,state\n1,core,applied\n2,limits,missing'
prints "upgraded from version 1 to $newest" upgrade
prints "schema \"pgq_jobs\" has version $newest" verify

# A newer one, and a changed one.
sql "INSERT INTO pgq_jobs.migration (version, name, checksum) VALUES (999, 'later', 0)"
refuses 4 "the database has migration 999, this program knows $newest; use a newer pgq" verify
refuses 4 '.* has version 999, .*; use a newer pgq' queues
refuses 4 'the database has migration 999' upgrade
refuses 4 'the database has migration 999' install
sql 'UPDATE pgq_jobs.migration SET checksum = 0 WHERE version = 2; DELETE FROM pgq_jobs.migration WHERE version = 999'
refuses 4 'migration 2 \(limits\) is not the one that was applied' verify
refuses 4 'migration 2 \(limits\) is not the one that was applied' upgrade --plan
drop_schema

# Uninstall.
pgq install >/dev/null
add_jobs default mail 3
listing=$(pgq uninstall --dry-run --format csv | tr -d '\r' | sed -E 's/,[0-9]+$//')
expect "what would be deleted" "$listing" $'table,rows,rows_capped,bytes\nlane,1,false\nmigration,'"$newest"$',false\nready,3,false'
expect "the jobs after --dry-run" "$(sql 'SELECT count(*) FROM pgq_jobs.ready')" 3
found=$(expect_exit 5 pgq uninstall 2>"$work/stderr")
expect_like "without a terminal" "$(cat "$work/stderr")" '^pgq: nothing was changed: there is no terminal to ask on; --yes'
expect_like "what it shows first" "$found" 'ready +3 '
found=$(expect_exit 5 on_terminal n uninstall)
expect_like "the question" "$found" 'Delete schema "pgq_jobs" with all of this\? \[y/N\]'
expect_like "the answer no" "$found" 'nothing was changed: the answer was not yes'
found=$(expect_exit 5 on_terminal '' uninstall)
expect "the schema" "$(has_schema)" 1
found=$(on_terminal y uninstall)
expect_like "the answer yes" "$found" 'schema "pgq_jobs" is deleted'
expect "the schema" "$(has_schema)" 0
pgq install >/dev/null
sql "INSERT INTO pgq_jobs.worker (lease_time, host, pid, version, lanes) VALUES ('1 hour', 'h', 1, '1', '{}')"
refuses_after_table() { found=$(expect_exit 1 pgq uninstall --yes 2>"$work/stderr"); expect_like "why" "$(cat "$work/stderr")" "$1"; }
refuses_after_table '1 worker alive; stop them, or say --force'
pgq uninstall --yes --force >/dev/null
expect "the schema after --yes" "$(has_schema)" 0

# A schema of others, and one that others need.
sql 'CREATE SCHEMA pgq_jobs; CREATE TABLE pgq_jobs.migration (version int, name text, checksum int8)'
refuses 4 '.*there are no pgq tables in the schema "pgq_jobs"; nothing is deleted' uninstall --yes
drop_schema
pgq install >/dev/null
sql 'CREATE TABLE pgq_jobs.invoice ()'
refuses 1 '.*more than pgq has made: table pgq_jobs.invoice; nothing is deleted' uninstall --yes
sql 'DROP TABLE pgq_jobs.invoice; CREATE VIEW public.waiting AS SELECT count(*) FROM pgq_jobs.job'
refuses 1 '.*other objects need the schema: .*public.waiting; nothing is deleted' uninstall --yes
sql 'DROP VIEW public.waiting'

# The scripts do the same; they are offline and the same each time.
offline() { PGHOST=/nowhere "$pgq_program" --dsn 'host=/nowhere' sql "$@"; }
for script in install upgrade uninstall roles; do
    [ "$(offline $script)" = "$(offline $script)" ] || fail "sql $script differs from call to call"
done
run_script() { offline "$@" | PGOPTIONS='-c client_min_messages=warning' psql -X -q -1 -v ON_ERROR_STOP=1 "$PGQ_DSN"; }
run_script uninstall
expect "the schema after its script" "$(has_schema)" 0
expect_like "sql upgrade without tables" "$(run_script upgrade 2>&1 || true)" 'no pgq tables'
run_script install
run_script upgrade
prints "schema \"pgq_jobs\" has version $newest" verify
odd='My "jobs" '"'\\{s}"
run_script install --schema "$odd"
prints "schema \"My \"\"jobs\"\" '\\{s}\" has version $newest" verify --schema "$odd"
refuses 2 "a schema's name is UTF-8 text of 1 to 63 bytes" sql install --schema ''
pgq uninstall --yes --schema "$odd" >/dev/null

# Roles: each may do what it is for, and the command says what it may not.
own_roles
prints "schema \"pgq_jobs\" has version $newest, and its roles have their rights" install --roles "${roles[@]}"
run_script roles "${roles[@]}"
add_jobs default mail 1
as rea queues >/dev/null
as rea stats >/dev/null
as rea limits >/dev/null
as rea health >/dev/null || [ $? = 1 ] # there is a job and no worker
as rea schedules list >/dev/null
as ope pause default --reason test >/dev/null
as ope resume default >/dev/null
for line in 'rea pause default --reason x' 'pro queues' 'ope uninstall --yes' 'wor drain default --reason x'; do
    status=0
    # shellcheck disable=SC2086
    as $line >"$work/stdout" 2>"$work/stderr" || status=$?
    expect "exit status of $line" "$status" 3
    expect_like "$line" "$(cat "$work/stderr")" '^pgq: .*(permission denied|must be owner)'
done
pgq uninstall --yes >/dev/null
