#!/usr/bin/env bash
# cookbook.sh PGQ [--write]: runs each command line of docs/guides/cookbook.md in the situation of its section, and
# compares what it prints, without times and ages. --write puts the present output into the page.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
page=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/docs/guides/cookbook.md
pgq install >/dev/null
sql "INSERT INTO pgq_jobs.lane (queue, entrypoint, version) VALUES
     ('mail', 'send', ''), ('mail', 'report', ''), ('shop', 'resize', 'v1'), ('shop', 'resize', 'v2')"

# The situations. Each begins with empty tables.
reset() {
    sql "TRUNCATE pgq_jobs.ready, pgq_jobs.deferred, pgq_jobs.lease, pgq_jobs.worker, pgq_jobs.failure, pgq_jobs.minute, pgq_jobs.hour,
                  pgq_jobs.lane_limit, pgq_jobs.schedule"
}
workers() {  # (ID, HOST, PID, VERSION, AGE-OF-THE-HEARTBEAT, LANES)...
    sql "INSERT INTO pgq_jobs.worker (id, host, pid, version, heartbeat_at, lanes, lease_time, started_at)
         SELECT id, host, pid, version, now() - age::interval, lanes::int4[], '30 s', now() - interval '2 days'
           FROM (VALUES $1) v(id, host, pid, version, age, lanes)"
}
leased() {  # ID WORKER LANE AGE
    sql "INSERT INTO pgq_jobs.lease (id, worker, lane, claimed_at, max_attempts, ids, ranks, attempts, bodies, enqueued_at)
         VALUES ($1, $2, $3, now() - interval '$4', 5, '{$1}', '{-1}', '{1}', ARRAY['{}'::bytea], ARRAY[now() - interval '$4'])"
}
ready() {  # LANE NUMBER AGE FIRST-ID
    sql "INSERT INTO pgq_jobs.ready (id, rank, lane, enqueued_at, body)
         SELECT $4 + n, -1, $1, now() - interval '$3' + n * interval '100 ms', '{\"to\":\"ann\"}' FROM generate_series(0, $2 - 1) n"
}
stuck() {
    workers "(17, 'web-2', 4711, '2.4', '3 s', '{1,2}'), (23, 'web-3', 880, '2.4', '4 min', '{1,2}')"
    leased 812 17 1 '3 hours'
    leased 815 23 2 '70 min'
}
backlog() {
    workers "(17, 'web-2', 4711, '2.4', '3 s', '{1}')"
    ready 1 12000 '2 hours' 1000
    ready 2 40 '3 hours' 50000
    leased 990 17 1 '1 s'
    leased 991 17 1 '1 s'
    sql "UPDATE pgq_jobs.lease SET limited = true;
         INSERT INTO pgq_jobs.lane_limit (queue, entrypoint, kind, amount) VALUES ('mail', 'send', 'c', 2);
         INSERT INTO pgq_jobs.minute (lane, at, worker, enqueued, done, wait_us, run_us, wait, run)
         SELECT 1, date_trunc('minute', now()) - n * interval '1 min', 17, 300, 200, 200 * 7200e6, 200 * 500e3,
                200 * round(10 ^ 324::numeric), 200 * round(10 ^ 144::numeric) FROM generate_series(1, 10) n"
}
poison() {
    workers "(17, 'web-2', 4711, '2.4', '3 s', '{1,2}')"
    sql "INSERT INTO pgq_jobs.deferred (id, kind, run_at, reason, rank, lane, attempts, body, enqueued_at, changed_at)
         SELECT 900 + n, 'h', 'infinity', CASE WHEN n < 38 THEN 'no template \"summer\"' ELSE 'smtp: mailbox unknown' END,
                -1, 1, 5, '{\"to\":\"ann\",\"template\":\"summer\"}', now() - interval '2 hours', now() - interval '1 hour'
           FROM generate_series(0, 39) n;
         INSERT INTO pgq_jobs.failure (id, lane, attempt, failed_at, reason)
         SELECT 900 + n, 1, a, now() - interval '1 hour', 'no template \"summer\"'
           FROM generate_series(0, 37) n, generate_series(4, 5) a"
}
deploy() {
    workers "(17, 'web-2', 4711, '2.4', '3 s', '{1,2,3}'), (31, 'web-1', 5022, '2.5', '1 s', '{1,2}')"
    ready 4 5 '3 min' 700
}
upgrade() { workers "(17, 'web-2', 4711, '2.4', '3 s', '{1,2,3,4}')"; }
failover() {
    workers "(17, 'web-2', 4711, '2.4', '3 s', '{1,2}'), (23, 'web-3', 880, '2.4', '2 min', '{1,2}')"
    leased 815 23 2 '2 min'
}

# The page with the present output of its commands.
rendered() {
    local line in=no status
    mkdir -p "$work/bin"
    printf '#!/bin/sh\nexec %q --dsn %q "$@"\n' "$pgq_program" "$PGQ_DSN" >"$work/bin/pgq"
    chmod +x "$work/bin/pgq"
    while IFS= read -r line; do
        case $line in
        '<!-- situation: '*) line=${line#<!-- situation: } && reset && "${line% -->}" && line="<!-- situation: $line" ;;
        '```console') in=yes ;;
        '```') in=no ;;
        esac
        if [ $in = no ] || [ "$line" = '```console' ]; then
            printf '%s\n' "$line"
        elif [[ $line == '$ '* ]]; then
            printf '%s\n' "$line"
            status=0
            PATH="$work/bin:$PATH" bash -c "${line#\$ }" </dev/null 2>&1 || status=$?
            [ "$status" != 2 ] || fail "$page: wrong use: $line"
        fi
    done <"$page"
}
timeless() {
    sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/TIME/g; s/[0-9.]+(ms|s|min|h|d)( [0-9]+(h|min|s))?\b/AGE/g; s/  +/ /g'
}

rendered >"$work/page"
if [ "${2-}" = --write ]; then
    cp "$work/page" "$page"
else
    diff <(timeless <"$page") <(timeless <"$work/page") ||
        fail "$page is not what the program prints: tests/tools/cookbook.sh PGQ --write"
fi
expect "situations" "$(grep -c '^<!-- situation: ' "$page")" 6
