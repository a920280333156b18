#!/usr/bin/env bash
# failed.sh PGQ: failed list, show, requeue and drop.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
pgq install >/dev/null

prints 'queue  entrypoint  version  jobs  latest  example  reason' failed list
prints '[]' failed show --format json
refuses 2 '.*; see "pgq failed --help"' failed
refuses 1 'there is no queue "mail"; there are none yet' failed list --queue mail

sql "INSERT INTO pgq_jobs.lane (queue, entrypoint, version) VALUES ('mail', 'send', ''), ('shop', 'ship', 'v1')"
fill() {
    sql "TRUNCATE pgq_jobs.ready, pgq_jobs.deferred, pgq_jobs.failure"
    sql "INSERT INTO pgq_jobs.deferred (id, kind, run_at, reason, rank, lane, attempts, body, enqueued_at, changed_at)
         SELECT n, 'h', 'infinity', reason, -1, lane, 3, '{}', '2030-01-01Z', timestamptz '2030-01-01Z' + n * interval '1 min'
           FROM (VALUES (1, 1, E'smtp refused\nserver a'), (2, 1, E'smtp refused\nserver b'), (3, 2, 'no such article'),
                        (4, 1, 'smtp refused')) v(n, lane, reason)"
    sql "INSERT INTO pgq_jobs.failure (id, lane, attempt, failed_at, reason) VALUES
         (1, 1, 1, '2030-01-01T02:00:00Z', 'timeout'), (1, 1, 3, '2030-01-01T03:00:00Z', E'smtp refused\nserver a')"
}
fill
prints "\
queue  entrypoint  version  jobs  latest                example  reason
mail   send                    3  2030-01-01T00:04:00Z        4  smtp refused
shop   ship        v1          1  2030-01-01T00:03:00Z        3  no such article" failed list
prints '[
{"queue":"shop","entrypoint":"ship","version":"v1","jobs":1,"jobs_capped":false,"latest":"2030-01-01T00:03:00Z","example":3,"reason":"no such article"}
]' failed list --queue shop --format json
expect "one entrypoint" "$(pgq failed list --entrypoint send --format csv | wc -l)" 2
refuses 1 'there is no entrypoint "sned" of any queue; there are "mail send", "shop ship"' failed list --entrypoint sned

# Each attempt of which there is a record; else the last one.
prints "\
id  queue  entrypoint  attempt  at                    reason
 1  mail   send              1  2030-01-01T02:00:00Z  timeout
 1  mail   send              3  2030-01-01T03:00:00Z  smtp refused ...
 2  mail   send              3  2030-01-01T00:02:00Z  smtp refused ...
 4  mail   send              3  2030-01-01T00:04:00Z  smtp refused" failed show --queue mail --reason smtp
prints 'id,queue,entrypoint,attempt,at,reason'$'\r''
2,mail,send,3,2030-01-01T00:02:00Z,"smtp refused
server b"'$'\r' failed show 2 --format csv
ids() { pgq failed show --format csv "$@" | tr -d '\r' | grep -oE '^[0-9]+,' | tr -d , | uniq | xargs; }
expect "a page" "$(ids --limit 3 2>"$work/stderr")" '1 2 3'
expect "its end" "$(cat "$work/stderr")" 'pgq: there may be more; --after 3 shows the next page'
expect "the next page" "$(ids --after 3 2>"$work/stderr")" 4
expect "its end" "$(cat "$work/stderr")" ''
sql "INSERT INTO pgq_jobs.ready (id, rank, lane, body) VALUES (9, -1, 1, '{}')"
refuses 1 'job 9, 99 are not held; "pgq jobs show" says where a job is' failed show 9 99
status=0
found=$(pgq failed show 9 2 --format csv 2>"$work/stderr") || status=$?
expect "the status" "$status" 1
expect_like "the held one" "$found" $'\n2,mail,send,3,'
expect "the other one" "$(cat "$work/stderr")" 'pgq: job 9 is not held; "pgq jobs show" says where a job is'
refuses 2 'ids and a filter exclude each other' failed show 2 --queue mail
refuses 2 '.*ID' failed show x
refuses 2 '.*--limit' failed show --limit 201

# What acts needs ids, a filter or --all, and asks.
for action in requeue drop; do
    refuses 2 'no jobs are chosen' failed "$action"
    refuses 2 'ids, a filter and --all exclude each other' failed "$action" --all 1
    refuses 2 'ids, a filter and --all exclude each other' failed "$action" --reason smtp --all
    refuses 5 'nothing was changed: there is no terminal to ask on' failed "$action" --all
    refuses 1 'there is no queue "mial"' failed "$action" --queue mial --yes
    refuses 2 '.*--state' failed "$action" --state ready
done
prints '4 jobs would be requeued' failed requeue --all --dry-run
prints '3 jobs would be deleted' failed drop --reason 'smtp refused' --dry-run
prints '1 job would be deleted' failed drop 3 9 99 --dry-run
expect "held jobs" "$(ids)" '1 2 3 4'
prints '2 jobs matched: 2 requeued, 0 skipped' failed requeue --reason server --yes
expect "ready jobs" "$(sql 'SELECT id, attempts FROM pgq_jobs.ready ORDER BY id' | xargs)" '1|0 2|0 9|0'
prints '1 job matched: 1 deleted, 0 skipped' failed drop --entrypoint send --yes
expect_like "the question" "$(expect_exit 5 on_terminal no failed drop 3)" 'Delete 1 job\? \[y/N\]'
expect_like "yes" "$(on_terminal y failed drop --queue shop)" '1 job matched: 1 deleted, 0 skipped'
expect "held jobs" "$(ids)" ''
prints '0 jobs matched: 0 requeued, 0 skipped' failed requeue --all --yes

# Capped counts: 50 000 held jobs of all lanes are looked at, 10 000 of each at most.
sql "INSERT INTO pgq_jobs.deferred (id, kind, run_at, reason, rank, lane, attempts, body)
     SELECT 100 + n, 'h', 'infinity', 'full', -1, 1, 1, '{}' FROM generate_series(1, 10500) n"
expect_like "a capped count" "$(pgq failed list)" $'\nmail +send +10 000\\+ '
expect_like "a capped count as CSV" "$(pgq failed list --format csv)" ',10000,true,'
prints '10500 jobs matched: 10500 deleted, 0 skipped' failed drop --all --yes

refuses 3 '.*' failed list --dsn host=/nowhere
refuses 4 'there are no pgq tables in schema "none"' failed show --schema none
expect "looks" "$(pgq failed list --watch 0.1 | head -n 3 | grep -c '^queue')" 3
