#!/usr/bin/env bash
# listings.sh PGQ: queues, stats, limits, health, metrics in each format, and --watch.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
pgq install >/dev/null

# Nothing yet: headers, and an empty array.
prints 'queue  entrypoint  kind  number  allowed  used  per_s' limits
prints '[]' queues --format json
prints '[]' schedules list --format json

add_jobs default mail 2 1
add_jobs default report 0
add_jobs orders ship 10002
sql "UPDATE pgq_jobs.ready SET enqueued_at = now() - interval '1 hour'
      WHERE lane = (SELECT id FROM pgq_jobs.lane WHERE entrypoint = 'mail')"

# The oldest job gets older while the test runs.
no_age() { sed -E 's/ [0-9][0-9.]*(h|min|s|ms)( [0-9]+(min|s))? / AGE /; s/"oldest":[0-9.]+/"oldest":AGE/' | tr -s ' '; }
expect "queues" "$(pgq queues | no_age)" "\
queue entrypoint ready deferred blocked leased held oldest in_per_s out_per_s paused draining
default mail 2 0 0 0 1 AGE 0 0 no no
default report 0 0 0 0 0 0 0 no no
orders ship 10 000+ 0 0 0 0 AGE 0 0 no no"
expect "queues as JSON" "$(pgq queues --queue default --format json | no_age)" '[
{"queue":"default","entrypoint":"mail","ready":2,"ready_capped":false,"deferred":0,"deferred_capped":false,"blocked":0,"blocked_capped":false,"leased":0,"held":1,"held_capped":false,"oldest":AGE,"in_per_s":0,"out_per_s":0,"paused":false,"draining":false},
{"queue":"default","entrypoint":"report","ready":0,"ready_capped":false,"deferred":0,"deferred_capped":false,"blocked":0,"blocked_capped":false,"leased":0,"held":0,"held_capped":false,"oldest":null,"in_per_s":0,"out_per_s":0,"paused":false,"draining":false}
]'
expect_like "a capped count as JSON" "$(pgq queues --queue orders --format json)" '"ready":10000,"ready_capped":true'
expect_like "a capped count as CSV" "$(pgq queues --queue orders --format csv)" $'\r\norders,ship,10000,true,0,false,'
pgq queues --format json | python3 -m json.tool >/dev/null

# Statistics: 60 enqueued, 30 done and 3 held in this minute; waits of 32 to 64 ms, a run of 1 to 2 s.
sql "INSERT INTO pgq_jobs.minute (lane, at, worker, enqueued, done, held, wait_us, run_us, wait, run)
     SELECT id, date_trunc('minute', now()), 1, 60, 30, 3, 48000, 1500000, round(10 ^ 120::numeric), round(10 ^ 180::numeric)
       FROM pgq_jobs.lane WHERE entrypoint = 'mail'"
prints "\
queue,entrypoint,enqueued,done,retried,held,discarded,cancelled,expired,per_s,wait_p50,wait_p99,run_p50,run_p99"$'\r'"
default,mail,60,30,0,3,0,0,0,0.009,0.048,0.064,1.536,2.038"$'\r' stats --entrypoint mail --format csv
prints "\
| queue | entrypoint | enqueued | done | retried | held | discarded | cancelled | expired | per\\_s | wait\\_p50 | wait\\_p99 | run\\_p50 | run\\_p99 |
|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
| default | mail | 60 | 30 | 0 | 3 | 0 | 0 | 0 | 0.009 | 48ms | 63.68ms | 1.536s | 2.038s |" \
    stats --entrypoint mail --format markdown
expect_like "parts" "$(pgq stats --step 1min --format csv)" \
    $'^at,queue,.*\r\n20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:00Z,default,mail,60,30,0,3,0,0,0,0.55,'
expect "rows of parts" "$(pgq stats --step 1min --format csv | wc -l)" 2
expect_like "rates" "$(pgq queues --queue default --last 1min --format csv)" ',1,0.55,false,false'
refuses 2 '--step is not a number of whole minutes' stats --step 90s
refuses 2 'statistics are kept for 48 h' stats --last 49h

# Limits.
sql "INSERT INTO pgq_jobs.lane_limit (queue, entrypoint, kind, amount, per, burst, tokens) VALUES
     ('default', 'mail', 'c', 4, '1 s', 1, 1), ('default', '', 'r', 30, '1 min', 10, 10)"
prints "\
queue    entrypoint  kind     number  allowed  used  per_s
default              rate          0       10     0    0.5
default  mail        running       0        4     0" limits
prints '[]' limits --queue orders --format json
prints 'the limit is changed' limits set default mail --amount 010 # not eight
expect "a decimal number" "$(sql "SELECT amount FROM pgq_jobs.lane_limit WHERE entrypoint = 'mail' AND kind = 'c'")" 10
prints 'the limit is changed' limits set default mail --amount 9
prints 'the limit is changed' limits set default --kind rate --amount 0 --burst 7
expect "the limits" "$(sql 'SELECT amount, per, burst FROM pgq_jobs.lane_limit ORDER BY entrypoint')" '0|00:01:00|7
9|00:00:01|1'
refuses 1 'the database has no such limit; .*pgq limits' limits set default report --amount 1
refuses 1 'the database has no limit of the kind rate there; there is one with --kind running --number 0' limits set default mail --kind rate --amount 1
refuses 2 'nothing to set; ' limits set default mail
refuses 2 '.*' queues --last 0s
refuses 2 '.*' queues --last 100h
for line in queues stats limits 'schedules list' 'schedules next'; do
    # shellcheck disable=SC2086 # two words
    refuses 1 'there is no queue "ordres"; there are "default", ' $line --queue ordres
done
refuses 1 'the database has no such limit' limits set set pause --amount 1 # names of sub-commands
refuses 2 'only a rate has a period' limits set default mail --amount 1 --per 1s
refuses 2 '.*--amount' limits set default mail --amount -1

# Health: jobs and no worker; a worker; a late job.
ends 1 "\
check            state   found
workers          failed  0 workers alive, jobs of 2 entrypoints ready
dead workers     ok      0 workers dead and not rescued
pauses           ok      0 entrypoints paused or draining
due jobs         ok      0ms late
schedules        ok      0ms late
oldest snapshot  ok      0ms old: no dead row since then can be removed" health
sql "INSERT INTO pgq_jobs.worker (lease_time, host, pid, version, lanes) VALUES ('1 h', 'h', 1, '', '{}')"
pgq health --json >"$work/json"
expect "states" "$(grep -o '"state":"ok"' "$work/json" | wc -l)" 6
sql "INSERT INTO pgq_jobs.deferred (run_at, kind, id, rank, lane, body)
     SELECT now() - interval '1 hour', 'd', 7, 0, id, '{}' FROM pgq_jobs.lane WHERE entrypoint = 'mail'"
expect_like "a late job" "$(expect_exit 1 pgq health --format csv)" 'due jobs,failed,1h late'
pgq health --late 2h >/dev/null
sql "UPDATE pgq_jobs.worker SET heartbeat_at = now() - interval '1 day'"
expect_like "a dead worker" "$(expect_exit 1 pgq health)" $'\ndead workers +warning +1 worker dead'

# Metrics, if the program has them.
if pgq --help | grep -q '^  metrics '; then
    expect_like "metrics" "$(pgq metrics)" $'\npgq_queue_jobs\\{queue="default",entrypoint="mail",state="ready"\\} 2\n'
    expect "pgq_up" "$(pgq metrics | grep '^pgq_up')" 'pgq_up 1'
    expect "pgq_up without a server" "$(expect_exit 3 pgq metrics --dsn host=/nowhere 2>/dev/null | grep '^pgq_up')" 'pgq_up 0'
else
    echo "left out: this pgq has no metrics, because prometheus-cpp is missing"
fi

# --watch: appends where there is no terminal, and ends with its reader.
expect "lines of three looks" "$(pgq limits --watch 0.1 | head -n 9 | grep -c '^queue')" 3
refuses 2 '.*--watch' limits --watch 0
sql "INSERT INTO pgq_jobs.lane (queue, entrypoint) VALUES ('later', 'x')"
watching() { grep -q later "$work/watched"; }
"$pgq_program" --dsn "$PGQ_DSN" queues --watch 0.1 >"$work/watched" 2>&1 </dev/null &
wait_for 30 "a second look" watching
kill $!
wait $! 2>/dev/null || true

# On a terminal each look takes the place of the one before.
redraws() { [ "$(grep -oaF $'\x1b[H\x1b[2J' "$work/typescript" | wc -l)" -ge 2 ]; }
printf -v line '%q ' "$pgq_program" --dsn "$PGQ_DSN" limits --watch 0.1
TERM=xterm script -qefc "$line" "$work/typescript" </dev/null >/dev/null 2>&1 &
wait_for 30 "a redraw" redraws
kill $!
wait $! 2>/dev/null || true

# A closed pipe: no message, and the status that a shell gives for SIGPIPE.
many() { "$pgq_program" sql install 2>"$work/stderr"; }
set +o pipefail
many | head -n 1 >/dev/null
expect "statuses of a closed pipe" "${PIPESTATUS[0]}" 141
expect "stderr of a closed pipe" "$(cat "$work/stderr")" ''
(trap '' PIPE; "$pgq_program" sql install 2>"$work/stderr" || echo $? >"$work/status") | head -n 1 >/dev/null
wait_for 10 "its end" test -s "$work/status"
expect "status of a closed pipe without SIGPIPE" "$(cat "$work/status")" 141
expect "stderr of a closed pipe without SIGPIPE" "$(cat "$work/stderr")" ''
set -o pipefail
for line in 'sql install' --help --version man; do
    status=0
    # shellcheck disable=SC2086
    "$pgq_program" $line >/dev/full 2>"$work/stderr" || status=$?
    expect "status of $line on a full disk" "$status" 1
    expect "stderr of $line on a full disk" "$(cat "$work/stderr")" 'pgq: the output cannot be written: No space left on device'
done

# Compaction.
prints 'no table has enough dead rows, or those that have are in use' compact
sql 'DELETE FROM pgq_jobs.ready WHERE lane = (SELECT id FROM pgq_jobs.lane WHERE entrypoint = '"'ship'"')'
rewrites() { [[ $(pgq compact --few) == *' rewritten' ]]; } # the server's statistics come a moment later
wait_for 30 "a table that is compacted" rewrites
expect "jobs that are left" "$(sql 'SELECT count(*) FROM pgq_jobs.ready')" 2
