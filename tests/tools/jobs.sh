#!/usr/bin/env bash
# jobs.sh PGQ: jobs list, show, enqueue, cancel, requeue, run-now, move and purge.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
pgq install >/dev/null

# Nothing yet.
prints '[]' jobs list --format json
refuses 2 '.*; see "pgq jobs --help"' jobs
refuses 1 'there is no queue "mail"; there are none yet' jobs list --queue mail
refuses 1 'there is no entrypoint "send" of queue "mail"; a program makes it' jobs enqueue mail send '{}'
refuses 1 'nothing is known of job 1; ' jobs show 1
prints '0 jobs matched: 0 cancelled, 0 skipped' jobs cancel --all --yes

# One job in each state; jobs 1 to 3 are ready.
sql "INSERT INTO pgq_jobs.lane (queue, entrypoint, version) VALUES
     ('mail', 'send', ''), ('mail', 'report', ''), ('shop', 'ship', 'v1'), ('shop', 'ship', 'v2')"
fill() {
    sql "TRUNCATE pgq_jobs.ready, pgq_jobs.deferred, pgq_jobs.lease, pgq_jobs.failure"
    sql "INSERT INTO pgq_jobs.ready (id, rank, lane, attempts, headers, body, enqueued_at) VALUES
         (1, -1, 1, 0, NULL, '{\"to\":\"a\"}', '2030-01-01Z'),
         (2, -1, 1, 1, '{\"x\":\"y z\",\"tenant\":\"a\"}', '{\"to\":\"b\"}', '2030-01-01T01:00:00Z'),
         (3, -1, 3, 0, '{\"tenant\":\"a\"}', '{}', '2030-01-01T02:00:00Z')"
    sql "INSERT INTO pgq_jobs.deferred (id, kind, run_at, reason, rank, lane, attempts, body, enqueued_at, changed_at) VALUES
         (4, 'd', '2040-01-01Z', NULL, -1, 2, 0, '{}', '2030-01-01Z', '2030-01-01Z'),
         (5, 'h', 'infinity', E'smtp refused\nline 2', -1, 1, 5, '{}', '2030-01-01Z', '2030-01-02Z'),
         (6, 'h', 'infinity', 'out of memory', -1, 1, 2, '{}', '2030-01-01Z', '2030-01-02Z')"
    sql "INSERT INTO pgq_jobs.lease (id, worker, lane, claimed_at, max_attempts, ids, ranks, attempts, bodies, enqueued_at)
         VALUES (1, 9, 1, '2030-01-03Z', 5, '{7}', '{-1}', '{1}', ARRAY['{}'::bytea], '{2030-01-01Z}')"
    sql "INSERT INTO pgq_jobs.failure (id, lane, attempt, failed_at, reason) VALUES
         (5, 1, 1, '2030-01-01T03:00:00Z', 'timeout'), (5, 1, 2, '2030-01-01T04:00:00Z', E'smtp refused\nline 2')"
}
fill
sql "SELECT setval('pgq_jobs.job_id', 1000)" >/dev/null
sql "INSERT INTO pgq_jobs.worker (id, lease_time, heartbeat_at, host, pid, version, lanes) VALUES (9, '100 years', now(), 'far', 42, '', '{1}')"
prints "\
id  queue  entrypoint  state     priority  attempts  enqueued_at           run_at                worker  reason
 1  mail   send        ready            0         0  2030-01-01T00:00:00Z
 2  mail   send        ready            0         1  2030-01-01T01:00:00Z
 3  shop   ship        ready            0         0  2030-01-01T02:00:00Z
 4  mail   report      deferred         0         0  2030-01-01T00:00:00Z  2040-01-01T00:00:00Z
 5  mail   send        held             0         5  2030-01-01T00:00:00Z                                smtp refused ...
 6  mail   send        held             0         2  2030-01-01T00:00:00Z                                out of memory
 7  mail   send        leased           0         1  2030-01-01T00:00:00Z                             9" jobs list
expect_like "JSON" "$(pgq jobs list --state held --format json)" \
    '\{"id":5,"queue":"mail","entrypoint":"send","state":"held","priority":0,"attempts":5,"enqueued_at":"2030-01-01T00:00:00Z","run_at":null,"worker":null,"reason":"smtp refused\\nline 2"\}'

# Filters: jobs match all of them.
ids() { pgq jobs list --format csv "$@" | tr -d '\r' | grep -oE '^[0-9]+,' | tr -d , | xargs; }
expect "a queue" "$(ids --queue shop)" 3
expect "an entrypoint" "$(ids --entrypoint send)" '1 2 5 6 7'
expect "states" "$(ids --state held,deferred)" '4 5 6'
expect "states one by one" "$(ids --state leased --state ready --queue mail)" '1 2 7'
expect "a reason" "$(ids --reason smtp)" 5
expect "a header" "$(ids --header tenant=a)" '2 3'
expect "two headers" "$(ids --header tenant=a --header 'x=y z')" 2
expect "an empty header" "$(ids --header tenant=)" ''
expect "since" "$(ids --since 2030-01-01T01:00:00Z)" '2 3'
expect "since, with an offset" "$(ids --since 2030-01-01T03:00:00+02:00 --before 2030-01-01T02:00:00Z)" 2
expect "ago" "$(ids --since 2h)" '1 2 3 4 5 6 7' # they are from the future
expect "ago" "$(ids --before 2h)" ''
for bad in '--state none' '--state ended' '--header x' '--header =x' '--since soon' '--since 2030-13-01' '--limit 0' \
    '--limit 1001' '--after -2' 'extra'; do
    # shellcheck disable=SC2086
    refuses 2 '.*; see "pgq jobs list --help"' jobs list $bad
done
refuses 1 'there is no entrypoint "ship" of queue "mail"; there are .*"shop ship"' jobs list --queue mail --entrypoint ship

# Pages.
expect "a page" "$(ids --limit 3 2>"$work/stderr")" '1 2 3'
expect "its end" "$(cat "$work/stderr")" 'pgq: there may be more; --after 3 shows the next page'
expect "the last page" "$(ids --limit 4 --after 3 2>"$work/stderr")" '4 5 6 7'
all='' after=-1
while page=$(ids --limit 2 --after "$after" 2>"$work/stderr") && all="$all $page" && [ -s "$work/stderr" ]; do
    after=$(grep -oE -- '--after [0-9]+' "$work/stderr" | cut -d' ' -f2)
done
expect "all pages" "$all" ' 1 2 3 4 5 6 7'

# All that is known of one job.
prints 'field            value
id               5
queue            mail
entrypoint       send
state            held
priority         0
attempts         5
enqueued_at      2030-01-01T00:00:00Z
reason           smtp refused\nline 2
failed_attempts  2
attempt 1        2030-01-01T03:00:00Z timeout
attempt 2        2030-01-01T04:00:00Z smtp refused\nline 2' jobs show 5
prints 'field            value
id               7
queue            mail
entrypoint       send
state            leased
priority         0
attempts         1
enqueued_at      2030-01-01T00:00:00Z
worker           9
host             far
pid              42
claimed_at       2030-01-03T00:00:00Z
failed_attempts  0
payload          {}

field            value
id               2
queue            mail
entrypoint       send
state            ready
priority         0
attempts         1
enqueued_at      2030-01-01T01:00:00Z
headers          {"x":"y z","tenant":"a"}
failed_attempts  0
payload          {"to":"b"}' jobs show 7 2 --payload
expect "JSON" "$(pgq jobs show 2 4 --payload --format json | python3 -c '
import json, sys
rows = json.load(sys.stdin)
print([(r["id"], r["headers"], r["run_at"], r["payload"], r["worker"]) for r in rows])')" \
    "[(2, '{\"x\":\"y z\",\"tenant\":\"a\"}', None, '{\"to\":\"b\"}', None), (4, '', '2040-01-01T00:00:00Z', '{}', None)]"
expect "no payload unless it is asked for" "$(pgq jobs show 2 --format json | grep -c '"to"')" 0
refuses 2 '.*ID' jobs show
refuses 2 '.*ID' jobs show x
status=0
found=$(pgq jobs show 99 4 98 --format csv 2>"$work/stderr") || status=$?
expect "the status of unknown jobs" "$status" 1
expect "the known one" "$(wc -l <<<"$found")" 2
expect "the unknown ones" "$(cat "$work/stderr")" \
    'pgq: nothing is known of job 99, 98; it has ended and its end is not kept, or it was never there'
sql "INSERT INTO pgq_jobs.outcome (id, lane, kind, attempts, keep_until, reason) VALUES (50, 1, 'x', 3, 'infinity', 'no such user')"
prints 'field            value
id               50
queue            mail
entrypoint       send
state            ended
end              discarded
attempts         3
reason           no such user
failed_attempts  0' jobs show 50

# Payloads: JSON, other bytes, compressed, encrypted.
payload() {  # HEX
    sql "UPDATE pgq_jobs.ready SET body = '\\x$1' WHERE id = 3"
    pgq jobs show 3 --payload "${@:2}" | sed -n 's/^payload *//p'
}
hex() { od -An -tx1 -v | tr -d ' \n'; }
expect "JSON" "$(payload "$(printf '{"a": [1, "é\\u0000"]}' | hex)")" '{"a": [1, "é\u0000"]}'
expect "text that is no JSON" "$(payload "$(printf '{"a"' | hex)")" '\x7b226122'
expect "bytes" "$(payload 00ff1b5b)" '\x00ff1b5b'
expect "bytes that are no UTF-8" "$(payload 22ff22)" '\x22ff22'
expect "nothing" "$(payload '')" '\x'
expect "not compressed by serializer::compressed" "$(payload "00$(printf '{"a":1}' | hex)")" '{"a":1}'
expect "compressed" "$(payload 0128b52ffd0000)" 'compressed, 7 bytes'
sealed="0103$(printf key | hex)$(printf '%048d%032d' 0 0)"
expect "encrypted" "$(payload "$sealed$(printf secret | hex)")" 'encrypted, 51 bytes'
expect "too short for that" "$(payload 01036b6579)" '\x01036b6579'
expect "control characters" "$(payload "$(printf '{"a":"\xc2\x9b31m\xe2\x80\xae"}' | hex)")" '{"a":"\x9b31m\u202e"}'
long=$(printf '"%05000d"' 0 | hex)
expect_like "a long payload" "$(payload "$long")" '^"0{4095}\.\.\. \(5002 bytes\)$'
expect "all of it" "$(payload "$long" --whole | wc -c)" 5003

# What acts needs ids, a filter or --all, and says how many before it acts.
fill
for action in cancel requeue run-now purge 'move --to-queue mail --to-entrypoint report'; do
    # shellcheck disable=SC2086
    refuses 2 'no jobs are chosen; give ids, a filter such as --queue, or --all' jobs $action
    # shellcheck disable=SC2086
    refuses 2 'ids, a filter and --all exclude each other' jobs $action --all 1
    # shellcheck disable=SC2086
    refuses 2 'ids, a filter and --all exclude each other' jobs $action --all --queue mail
    # shellcheck disable=SC2086
    refuses 2 'ids, a filter and --all exclude each other' jobs $action 1 --queue mail
    # shellcheck disable=SC2086
    refuses 5 'nothing was changed: there is no terminal to ask on' jobs $action --all
    # shellcheck disable=SC2086
    refuses 5 'nothing was changed: there is no terminal to ask on' jobs $action 5
    # shellcheck disable=SC2086
    refuses 1 'there is no queue "mial"; there are "mail", "shop"' jobs $action --queue mial --yes
done
expect "jobs" "$(ids)" '1 2 3 4 5 6 7'
for option in --queue --entrypoint --reason --state --header --since; do  # of a variable that is not set
    refuses 2 ".*$option" jobs cancel --all "$option" '' --yes
done
refuses 2 '.*ID' jobs cancel '' --yes
prints '7 jobs would be cancelled' jobs cancel --all --dry-run
prints '2 jobs would be deleted' jobs purge --all --dry-run
prints '1 job would be requeued' jobs requeue --reason smtp --dry-run
prints '1 job would be made ready' jobs run-now --all --dry-run
prints '2 jobs would be moved' jobs move --queue mail --entrypoint send --state ready --dry-run --to-queue mail \
    --to-entrypoint report
prints '2 jobs would be requeued' jobs requeue 1 5 6 99 --dry-run
expect "jobs" "$(ids)" '1 2 3 4 5 6 7'

# skips STDOUT WHY ARGUMENT...: a job that is named by its id was not in a state that fits.
skips() {
    local status=0 found
    found=$(pgq "${@:3}" 2>"$work/stderr") || status=$?
    expect "exit status of pgq ${*:3}" "$status" 1
    expect "stdout of pgq ${*:3}" "$found" "$1"
    expect_like "stderr of pgq ${*:3}" "$(cat "$work/stderr")" \
        "^pgq: [0-9]+ jobs? skipped: $2; \"pgq jobs show\" says where a job is\$"
}
prints '1 job matched: 1 requeued, 0 skipped' jobs requeue --reason smtp --yes
expect "the requeued job" "$(sql 'SELECT attempts FROM pgq_jobs.ready WHERE id = 5')" 0
skips '3 jobs named: 1 requeued, 2 skipped' 'unknown, or not held' jobs requeue 5 6 99 --yes
skips '1 job named: 0 requeued, 1 skipped' 'unknown, or not held' jobs requeue 6 --yes
prints '1 job named: 1 made ready, 0 skipped' jobs run-now 4 4 --yes
skips '1 job named: 0 made ready, 1 skipped' 'unknown, or not deferred' jobs run-now 4 --yes
refuses 2 'the action requeue takes no jobs of the selected states' jobs requeue --state ready --yes
expect "states" "$(pgq jobs list --state ready --format csv | wc -l)" 7

# Move: into a lane that exists, of one payload version.
prints '2 jobs named: 2 moved, 0 skipped' jobs move 1 2 --to-queue mail --to-entrypoint report --yes
expect "the moved jobs" "$(ids --entrypoint report)" '1 2 4'
prints '3 jobs matched: 3 moved, 0 skipped' jobs move --entrypoint report --to-queue mail --to-entrypoint send --yes
skips '2 jobs named: 0 moved, 2 skipped' 'unknown, or not ready, deferred or held' jobs move 7 99 --to-queue mail --to-entrypoint report --yes
refuses 1 'there is no entrypoint "sned" of queue "mail"; there are "mail report", ' jobs move 1 --to-queue mail --to-entrypoint sned --yes
refuses 2 'entrypoint "ship" of queue "shop" has several payload versions: "v2", "v1"; name one with --to-version' \
    jobs move 1 --to-queue shop --to-entrypoint ship --yes
refuses 1 'entrypoint "ship" of queue "shop" has no payload version "v3"; it has "v2", "v1"' \
    jobs move 1 --to-queue shop --to-entrypoint ship --to-version v3 --yes
prints '1 job named: 1 moved, 0 skipped' jobs move 1 --to-queue shop --to-entrypoint ship --to-version v1 --yes
expect "its lane" "$(sql 'SELECT lane FROM pgq_jobs.ready WHERE id = 1')" 3
refuses 2 '.*--to-entrypoint' jobs move 1 --to-queue shop --yes
pgq drain mail report --reason test >/dev/null
refuses 1 '.*draining' jobs move 2 --to-queue mail --to-entrypoint report --yes
pgq resume mail report >/dev/null

# Cancel and purge.
prints '1 job matched: 1 cancelled, 0 skipped; running, and asked to stop: 1' jobs cancel --state leased --yes
fill
prints '2 jobs matched: 2 deleted, 0 skipped' jobs purge --all --yes
expect "jobs" "$(ids)" '1 2 3 4 7'
prints '[
{"matched":2,"done":2,"stopping":0,"skipped":0}
]' jobs cancel --header tenant=a --yes --format json
skips '2 jobs named: 1 cancelled, 1 skipped' unknown jobs cancel 1 2 --yes
expect "jobs" "$(ids)" '4 7'

# On a terminal it asks, with the number.
expect_like "the question" "$(expect_exit 5 on_terminal no jobs cancel --queue mail)" 'Cancel 2 jobs\? \[y/N\]'
expect_like "the question about ids" "$(expect_exit 5 on_terminal no jobs run-now 4 7)" 'Run now 1 job\? \[y/N\]'
expect_like "nothing to ask" "$(on_terminal '' jobs requeue --all)" '0 jobs matched: 0 requeued, 0 skipped'
expect "jobs" "$(ids)" '4 7'
expect_like "yes" "$(on_terminal yes jobs cancel --state deferred)" '1 job matched: 1 cancelled, 0 skipped'
sql "INSERT INTO pgq_jobs.ready (rank, lane, body) SELECT -1, 1, '{}' FROM generate_series(1, 2500)"
expect_like "progress" "$(on_terminal '' jobs cancel --state ready --yes)" $'2 000 cancelled.*2 500 cancelled.*2500 jobs matched: 2500 cancelled'
expect "jobs" "$(ids)" 7
sql "INSERT INTO pgq_jobs.ready (rank, lane, body) SELECT -1, 1, '{}' FROM generate_series(1, 11000)"
prints '10 000+ jobs would be cancelled' jobs cancel --state ready --dry-run
prints '11000 jobs matched: 11000 cancelled, 0 skipped' jobs cancel --state ready --yes

# Enqueue: into the newest lane, or one version; each option.
enqueued() { sed -n 's/^job \([0-9]*\) is enqueued$/\1/p'; }
id=$(pgq jobs enqueue mail send '{"to": "c"}' | enqueued)
expect "the job" "$(sql "SELECT lane, rank, headers, key, convert_from(body, 'utf8') FROM pgq_jobs.ready WHERE id = $id")" \
    '1|-1|||{"to": "c"}'
id=$(pgq jobs enqueue shop ship '{}' --priority 7 --delay 1h --header tenant=a --header 'x=y=z' --key k | enqueued)
expect "its options" "$(sql "SELECT lane, (~(rank >> 48))::int2, headers, key, run_at > now() + interval '59 min' FROM pgq_jobs.deferred WHERE id = $id")" \
    '4|7|{"x": "y=z", "tenant": "a"}|k|t'
id=$(pgq jobs enqueue shop ship --payload-version v1 '[1]' | enqueued)
expect "its lane" "$(sql "SELECT lane FROM pgq_jobs.ready WHERE id = $id")" 3
refuses 1 'entrypoint "ship" of queue "shop" has no payload version "v9"; it has "v2", "v1"' jobs enqueue shop ship '{}' --payload-version v9
for bad in '{"to": }' '{} {}' '' 'text' $'"\xff"'; do
    refuses 2 'the payload is not JSON; quote it for the shell, or say --raw' jobs enqueue mail send "$bad"
done
id=$(pgq jobs enqueue mail send --raw 'not JSON' | enqueued)
expect "raw bytes" "$(sql "SELECT convert_from(body, 'utf8') FROM pgq_jobs.ready WHERE id = $id")" 'not JSON'
id=$(printf '{"from":"stdin"}' | "$pgq_program" --dsn "$PGQ_DSN" jobs enqueue mail send - | enqueued)
expect "a payload of stdin" "$(sql "SELECT convert_from(body, 'utf8') FROM pgq_jobs.ready WHERE id = $id")" '{"from":"stdin"}'
status=0
"$pgq_program" --dsn "$PGQ_DSN" jobs enqueue mail send - --raw </tmp >"$work/stdout" 2>"$work/stderr" || status=$?
expect_like "a stdin that cannot be read" "$status $(cat "$work/stdout" "$work/stderr")" '^2 pgq: standard input cannot be read: '
refuses 2 'two headers have the name "a"' jobs enqueue mail send '{}' --header a=1 --header a=2
refuses 2 '.*--priority' jobs enqueue mail send '{}' --priority 40000
refuses 2 '.*PAYLOAD' jobs enqueue mail send
pgq drain mail --reason test >/dev/null
refuses 1 '.*draining' jobs enqueue mail send '{}'

# A server that is read-only, and one that is too slow.
pgq resume mail >/dev/null
read_only() { PGOPTIONS='-c default_transaction_read_only=on' expect_exit 3 pgq "$@" 2>&1; }
expect_like "a read-only server" "$(read_only jobs cancel --all --yes)" '^pgq: .*read-only'
PGOPTIONS='-c default_transaction_read_only=on' pgq jobs list >/dev/null
psql -X -q "$PGQ_DSN" -c 'BEGIN; LOCK TABLE pgq_jobs.ready; SELECT pg_sleep(300)' >/dev/null 2>&1 &
lockers() { sql "SELECT pid FROM pg_locks WHERE relation = 'pgq_jobs.ready'::regclass AND mode = 'AccessExclusiveLock' AND granted"; }
is_locked() { [ -n "$(lockers)" ]; }
wait_for 30 "the lock" is_locked
refuses 3 '.*; give it more time with --statement-timeout' jobs list --statement-timeout 200ms
sql "SELECT pg_terminate_backend($(lockers))" >/dev/null
wait $! || true

# No server, a missing schema, a closed pipe, --watch.
for line in 'list' 'show 1' 'enqueue mail send {}' 'cancel 1 --yes' 'purge --all --dry-run'; do
    # shellcheck disable=SC2086
    refuses 3 '.*' jobs $line --dsn host=/nowhere
    # shellcheck disable=SC2086
    refuses 4 'there are no pgq tables in schema "none"' jobs $line --schema none
done
set +o pipefail
"$pgq_program" --dsn "$PGQ_DSN" jobs list --watch 0.1 2>"$work/stderr" | head -n 1 >/dev/null
expect "statuses of a closed pipe" "${PIPESTATUS[0]}" 141
expect "stderr of a closed pipe" "$(cat "$work/stderr")" ''
