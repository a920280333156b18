#!/usr/bin/env bash
# roles.sh PGQ: each of the five roles tries each sub-command. docs/guides/roles.md says what it may do; the table below
# has the exit status of each. What a role may not do ends with 3 and changes nothing.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
own_roles
pgq install --roles "${roles[@]}" >/dev/null

# One row of each kind, so that each sub-command has something to do.
sql "CREATE FUNCTION public.fill() RETURNS void LANGUAGE plpgsql AS \$\$
BEGIN
    TRUNCATE pgq_jobs.ready, pgq_jobs.deferred, pgq_jobs.worker, pgq_jobs.lease, pgq_jobs.schedule, pgq_jobs.lane_limit;
    PERFORM pgq_jobs.resume('mail', '');
    INSERT INTO pgq_jobs.ready (id, rank, lane, body) VALUES (1, -1, 1, '{}'), (2, -1, 1, '{}');
    INSERT INTO pgq_jobs.deferred (id, kind, run_at, reason, rank, lane, body) VALUES
        (3, 'd', now() + interval '1 day', NULL, -1, 1, '{}'), (4, 'h', 'infinity', 'broken', -1, 1, '{}');
    INSERT INTO pgq_jobs.worker (id, lease_time, host, pid, version, lanes) VALUES (9, '1 hour', 'h', 1, '', '{1}');
    INSERT INTO pgq_jobs.lane_limit (queue, entrypoint, kind, amount) VALUES ('mail', '', 'c', 4);
    INSERT INTO pgq_jobs.schedule (queue, name, lane, expression, zone, jitter, missed_count, overlap, next_at,
        declared_at, priority, hold_expired, keep_for, unique_key, unique_rule, unique_period, headers, body)
    VALUES ('mail', 'nightly', 1, '@daily', 'UTC', '0', 1, 'a', now() + interval '1 day', now(), 0, false, '0', '',
            'ls', '0', '{}', '{}');
END \$\$;
CREATE FUNCTION public.state() RETURNS text LANGUAGE sql AS \$\$
    SELECT md5(string_agg(t, ';' ORDER BY t)) FROM (
        SELECT 'r' || r::text FROM pgq_jobs.ready r UNION ALL SELECT 'd' || d::text FROM pgq_jobs.deferred d UNION ALL
        SELECT 'w' || w::text FROM pgq_jobs.worker w UNION ALL SELECT 'l' || l::text FROM pgq_jobs.lane_limit l UNION ALL
        SELECT 's' || s::text FROM pgq_jobs.schedule s UNION ALL SELECT 'p' || p::text FROM pgq_jobs.paused p UNION ALL
        SELECT 'n' || n::text FROM pgq_jobs.lane n) all_rows(t) \$\$;
INSERT INTO pgq_jobs.lane (queue, entrypoint) VALUES ('mail', 'send'), ('mail', 'report')"

count=0
# tries ROLE STATUS ARGUMENT...
tries() {
    local status=0 before
    before=$(sql 'SELECT fill(); SELECT state()' | tail -n 1)
    as "$1" "${@:3}" >"$work/stdout" 2>"$work/stderr" || status=$?
    [ "$status" = "$2" ] || fail "$1 ${*:3}: status $status, wanted $2: $(cat "$work/stderr")"
    count=$((count + 1))
    [ "$2" = 3 ] || return 0
    expect_like "$1 ${*:3}" "$(cat "$work/stderr")" '^pgq: .*(permission denied|must be owner)'
    expect "what $1 ${*:3} has changed" "$(sql 'SELECT state()')" "$before"
}

# The columns: owner, producer, worker, operator, reader. Reading a schema that is up to date is no change, so each
# role may "install" it. Looking for schema problems needs no right; what a producer may not see is a note.
while read -r own pro wor ope rea line; do
    [ -n "$own" ] || continue
    # shellcheck disable=SC2086
    for role in own pro wor ope rea; do tries "$role" "${!role}" $line; done
done <<'TABLE'
0 3 0 0 0 jobs list
0 3 0 0 0 jobs show 1
0 3 0 0 3 jobs show 1 --payload
0 0 0 3 3 jobs enqueue mail send {}
0 3 3 0 3 jobs cancel 1 --yes
0 3 3 0 3 jobs cancel --queue mail --yes
0 3 0 0 0 jobs cancel --all --dry-run
0 3 3 0 3 jobs requeue 4 --yes
0 3 3 0 3 jobs run-now 3 --yes
0 3 3 0 3 jobs move 1 --to-queue mail --to-entrypoint report --yes
0 3 3 0 3 jobs purge 4 --yes
0 3 0 0 0 failed list
0 3 0 0 0 failed show
0 3 3 0 3 failed requeue --all --yes
0 3 3 0 3 failed drop --all --yes
0 3 0 0 0 workers
0 3 3 0 3 workers forget 9 --force --yes
0 0 0 0 0 doctor
0 3 0 0 0 health
0 3 0 0 0 queues
0 3 0 0 0 stats
0 3 0 0 0 limits
0 3 0 0 3 limits set mail --amount 1
0 3 3 0 3 pause mail --reason x
0 3 3 0 3 drain mail --reason x
0 3 0 0 0 paused
0 3 0 0 0 schedules list
0 3 0 0 0 schedules next
0 3 0 0 3 schedules fire nightly --queue mail
0 3 0 0 3 schedules pause nightly --queue mail --reason x
0 3 0 0 3 schedules remove nightly --queue mail --yes
0 0 0 0 0 verify
0 0 0 0 0 install
0 0 0 0 0 upgrade
0 3 0 3 3 compact
0 3 0 0 0 uninstall --dry-run
3 3 3 3 3 bench --yes --seconds 0.1
TABLE
expect "tries" "$count" 185

# The ends of a pause need one that has begun.
for try in 'own 0' 'pro 3' 'wor 3' 'ope 0' 'rea 3'; do
    pgq pause mail --reason x >/dev/null
    status=0
    as ${try% *} resume mail >/dev/null 2>&1 || status=$?
    expect "${try% *} resume" "$status" "${try#* }"
    sql "SELECT pgq_jobs.resume('mail', '')" >/dev/null
done

# What a reader does not see.
sql "SELECT fill()" >/dev/null
sql "UPDATE pgq_jobs.ready SET body = '{\"secret\":1}', headers = '{\"tenant\":\"a\"}'"
expect_like "a job as a reader sees it" "$(as rea jobs show 1)" $'\nheaders +\\{"tenant":"a"\\}\n'
for role in own wor ope; do
    expect_like "a payload as $role sees it" "$(as $role jobs show 1 --payload)" $'\npayload +\\{"secret":1\\}'
done
expect "a payload that nobody asked for" "$(as ope jobs show 1 | grep -c secret)" 0

# The worker that an operator forgets may not be rescued by it: its jobs wait for the next heartbeat.
sql "UPDATE pgq_jobs.worker SET heartbeat_at = now() - interval '1 day'"
expect "forget" "$(as ope workers forget 9)" \
    'worker 9 is forgotten: the next heartbeat of another worker makes its jobs ready'

# The end: only the owner may delete all of it.
for role in pro wor ope rea; do tries $role 3 uninstall --yes --force; done
tries own 0 uninstall --yes --force
