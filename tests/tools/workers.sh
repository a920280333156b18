#!/usr/bin/env bash
# workers.sh PGQ: the list of workers, its pages, and forgetting one.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
pgq install >/dev/null
prints 'id  host  pid  version  alive  running  heartbeat_age  lease_time  started_at  serves' workers
prints '[]' workers --format json

add_jobs mail send 0
add_jobs mail report 0
sql "INSERT INTO pgq_jobs.lane (queue, entrypoint, version) VALUES ('mail', 'send', 'v2')"
add_worker() {  # ID HEARTBEAT-AGE LANES [COLUMN VALUE]...
    sql "INSERT INTO pgq_jobs.worker (id, lease_time, heartbeat_at, started_at, host, pid, version, lanes)
         VALUES ($1, '30 s', now() - interval '$2', '2030-01-02T03:04:05Z', 'host-$1', 100 + $1, '1.0', '$3')"
}
add_worker 1 '0 s' '{1,2,3}'
add_worker 2 '1 hour' '{1,99}'
sql "UPDATE pgq_jobs.worker SET started_at = '2030-01-02T03:04:05.25Z' WHERE id = 2"
add_worker 3 '0 s' '{}'
sql "UPDATE pgq_jobs.worker SET queue_prefix = 'tenant_', entrypoints = '{send,report}', versions = '{\"\",\"\"}' WHERE id = 3"
add_worker 4 '0 s' '{}'
sql "UPDATE pgq_jobs.worker SET queue_prefix = '', queues = '{b,a}', entrypoints = '{send}', versions = '{\"\"}' WHERE id = 4"
sql "INSERT INTO pgq_jobs.lease (id, worker, lane, max_attempts, ids, ranks, attempts, bodies, enqueued_at)
     VALUES (1, 2, 1, 5, '{11,12}', '{-1,-1}', '{1,1}', '{x,y}', ARRAY[now(), now()])"

# The ages grow while the test runs.
no_age() { sed -E 's/ (0ms|[0-9.]+m?s|1h) +30s / AGE 30s /' | tr -s ' ' | sed 's/^ //'; }
expect "workers" "$(pgq workers | no_age)" "\
id host pid version alive running heartbeat_age lease_time started_at serves
1 host-1 101 1.0 yes 0 AGE 30s 2030-01-02T03:04:05Z mail/report, mail/send
2 host-2 102 1.0 no 2 AGE 30s 2030-01-02T03:04:05.250000Z lane 99, mail/send
3 host-3 103 1.0 yes 0 AGE 30s 2030-01-02T03:04:05Z tenant_*: report, send
4 host-4 104 1.0 yes 0 AGE 30s 2030-01-02T03:04:05Z a, b: send"
expect_like "JSON" "$(pgq workers --format json)" \
    '\{"id":2,"host":"host-2","pid":102,"version":"1.0","alive":false,"running":2,"heartbeat_age":36[0-9][0-9][0-9.]*,"lease_time":30,"started_at":"2030-01-02T03:04:05.250000Z","serves":"lane 99, mail/send"\}'

# Pages: rows on stdout, and on stderr how it goes on.
ids() { tr -d '\r' | awk -F, 'NR > 1 { print $1 }' | xargs; }
expect "a page" "$(pgq workers --limit 2 --format csv 2>"$work/stderr" | ids)" '1 2'
expect "the next page" "$(cat "$work/stderr")" 'pgq: there may be more; --after 2 shows the next page'
expect "the last page" "$(pgq workers --after 2 --limit 3 --format csv 2>"$work/stderr" | ids)" '3 4'
expect "no next page" "$(cat "$work/stderr")" ''
refuses 2 '.*--limit' workers --limit 0
refuses 2 '.*--after' workers --after -1

# A person sees five of many lanes, a program all.
sql "INSERT INTO pgq_jobs.lane (queue, entrypoint) SELECT 'many', 'e' || n FROM generate_series(1, 9) n"
add_worker 5 '0 s' "$(sql "SELECT array_agg(id) FROM pgq_jobs.lane WHERE queue = 'many'")"
expect_like "lanes for people" "$(pgq workers --after 4)" 'many/e1, many/e2, many/e3, many/e4, many/e5 and 4 more'
expect_like "lanes for programs" "$(pgq workers --after 4 --format csv)" 'many/e8, many/e9"'

# Forgetting: jobs of a dead worker run again.
refuses 1 'there is no worker 77; "pgq workers" lists them' workers forget 77
refuses 1 'worker 1 is alive; stop its process; --force' workers forget 1
refuses 2 '.*ID' workers forget
refuses 2 '.*ID' workers forget x
refuses 2 '.*ID' workers forget 0
expect "workers" "$(sql 'SELECT count(*) FROM pgq_jobs.worker')" 5
prints 'worker 2 is forgotten: 2 jobs ready again, 0 held' workers forget 2
expect "its jobs" "$(sql 'SELECT id FROM pgq_jobs.ready ORDER BY id' | xargs)" '11 12'
refuses 5 "nothing was changed: there is no terminal" workers forget 1 --force
prints 'worker 1 is forgotten: 0 jobs ready again, 0 held' workers forget 1 --force --yes
expect "workers" "$(sql 'SELECT id FROM pgq_jobs.worker ORDER BY id' | xargs)" '3 4 5'
prints '[
{"message":"worker 3 is forgotten: 0 jobs ready again, 0 held"}
]' workers forget 3 --force --yes --format json

# No server; a closed pipe; --watch.
refuses 3 '.*' workers --dsn host=/nowhere
refuses 4 'there are no pgq tables in schema "none"' workers --schema none
expect "looks" "$(pgq workers --watch 0.1 | head -n 4 | grep -c '^id')" 2
