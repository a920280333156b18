#!/usr/bin/env bash
# bench/listings.sh [READY [HELD [LANES]]]: how long the command `pgq` and the pages of `pgq web` take in a large
# database: with 10 million ready jobs, a million held ones and 1000 lanes, if the arguments say nothing else.
#
# Each line has the median and the longest of seven runs in milliseconds, by the clock of the client. A run of the
# command is a process that connects. Exits with 1 if a median is above 200 ms, except for
# answers of more than a megabyte. The script starts a temporary
# PostgreSQL as bench/run.sh does. If PGQ_DSN is set, it uses that server, and the schema must not be installed yet.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/scripts/pg.sh

ready=${1-10000000} held=${2-1000000} lanes=${3-1000}
runs=7 bar=200
PGQ_PG_SETTINGS="shared_buffers = 4GB
max_wal_size = 16GB
checkpoint_timeout = 1h
maintenance_work_mem = 1GB
max_connections = 100"

pgq_on_exit
pgq_need cmake ninja-build ccache g++ util-linux libpq-dev libasio-dev libncurses-dev curl \
    'libboost1.81-dev|libboost1.83-dev|libboost1.88-dev' \
    'libboost-json1.81-dev|libboost-json1.83-dev|libboost-json1.88-dev' libhowardhinnant-date-dev libcli11-dev postgresql
mkdir -p build
echo "building (optimized)"
pgq_run cmake --preset release -DPGQ_BUILD_TESTS=OFF -DPGQ_BUILD_TOOLS=ON >build/release.configure.log 2>&1 || {
    cat build/release.configure.log
    exit 1
}
pgq_run cmake --build --preset release --target pgq_command >build/release.build.log 2>&1 || {
    grep -E 'error|FAILED' build/release.build.log
    exit 1
}
[ -n "${PGQ_DSN-}" ] || pgq_start_postgres
pgq=$PWD/build/release/tools/pgq/pgq
work=$(mktemp -d)

# Three priorities, one job in a hundred with a header, half a million packed jobs, 100 000 delayed ones, 20 workers,
# ten reasons of failures, and statistics of two days.
fill() {
    echo "filling: $ready ready jobs, $held held, $lanes lanes"
    "$pgq" --dsn "$PGQ_DSN" --yes install >/dev/null
    psql -X -q -v ON_ERROR_STOP=1 -v ready="$ready" -v held="$held" -v lanes="$lanes" "$PGQ_DSN" >/dev/null <<'SQL'
SET search_path = pgq_jobs;
INSERT INTO lane (queue, entrypoint) SELECT 'queue' || n % 20, 'entrypoint' || n FROM generate_series(1, :lanes) n;
INSERT INTO ready (rank, lane, headers, body, enqueued_at)
    SELECT n % 3, 1 + n % :lanes, CASE WHEN n % 100 = 0 THEN '{"tenant": "acme"}'::jsonb END,
           convert_to('{"number": ' || n || ', "text": "a payload of forty bytes"}', 'UTF8'),
           now() - n * interval '1 second' / 1000
      FROM generate_series(1, :ready) n;
INSERT INTO pack (id, rank, lane, n, ids, bodies)
    SELECT min(i), 0, min(1 + p % :lanes), count(*), array_agg(i ORDER BY i), array_agg('{"number": 1}'::bytea)
      FROM (SELECT p, nextval('job_id') AS i FROM generate_series(1, 5000) p, generate_series(1, 100)) j GROUP BY p;
INSERT INTO deferred (run_at, id, rank, lane, attempts, kind, reason, headers, body, changed_at)
    SELECT 'infinity', nextval('job_id'), 0, 1 + n % :lanes, 3, 'h', 'reason ' || n % 10 || E'\n  and a second line',
           CASE WHEN n % 100 = 0 THEN '{"tenant": "acme"}'::jsonb END, '{"number": 1}', now() - n * interval '0.1 second'
      FROM generate_series(1, :held) n;
INSERT INTO failure (id, lane, attempt, failed_at, reason)
    SELECT d.id, d.lane, 3, d.changed_at, d.reason FROM deferred d WHERE d.kind = 'h';
INSERT INTO deferred (run_at, id, rank, lane, attempts, kind, body)
    SELECT now() + interval '1 day', nextval('job_id'), 0, 1 + n % :lanes, 0, 'd', '{"number": 1}'
      FROM generate_series(1, 100000) n;
INSERT INTO worker (lease_time, host, pid, version, lanes)
    SELECT interval '1 day', 'host' || n, n, '1', ARRAY(SELECT l.id FROM lane l WHERE l.id % 20 = n % 20)
      FROM generate_series(1, 20) n;
INSERT INTO lease (worker, lane, max_attempts, ids, ranks, attempts, bodies, enqueued_at)
    SELECT w.id, w.lanes[1], 5, ARRAY(SELECT nextval('job_id') FROM generate_series(1, 100)), ARRAY[0], ARRAY[0],
           array_fill('{}'::bytea, ARRAY[100]), ARRAY[now()]
      FROM worker w, generate_series(1, 10);
INSERT INTO minute (lane, at, worker, enqueued, done, wait_us, run_us, wait, run)
    SELECT l, date_trunc('minute', now()) - m * interval '1 minute', 0, 60, 60, 60000, 120000, power(10::numeric, 12 * 8) * 60,
           power(10::numeric, 12 * 6) * 60
      FROM generate_series(1, :lanes) l, generate_series(0, 2879) m;
INSERT INTO minute (lane, at, worker, enqueued, done, wait_us, run_us, wait, run)
    SELECT 0, at, 0, sum(enqueued), sum(done), sum(wait_us), sum(run_us), sum(wait), sum(run) FROM minute GROUP BY at;
INSERT INTO hour
    SELECT lane, date_bin('1 hour', at, 'epoch'::timestamptz) AS hour, sum(enqueued), sum(done), 0, 0, 0, 0, 0, sum(wait_us),
           sum(run_us), sum(wait), sum(run)
      FROM minute GROUP BY 1, 2;
SQL
    psql -X -q "$PGQ_DSN" -c 'VACUUM ANALYZE' -c CHECKPOINT
    read -r first_held middle <<<"$(psql -X -q -A -t -F ' ' "$PGQ_DSN" -c "SELECT min(id), $ready / 2 FROM pgq_jobs.deferred WHERE kind = 'h'")"
}

slow=no
# timed NAME COMMAND...: runs it once, and then seven times against the clock.
timed() {
    local i began times=() sorted
    "${@:2}" >"$work/answer" 2>"$work/stderr" </dev/null || {
        case $? in 1) ;; *) echo "$1: $(head -1 "$work/stderr")" >&2; exit 3 ;; esac
    }
    for ((i = 0; i < runs; i++)); do
        began=$(date +%s%N)
        "${@:2}" >"$work/answer" 2>/dev/null </dev/null || true
        times+=($((($(date +%s%N) - began) / 1000000)))
    done
    mapfile -t sorted < <(printf '%s\n' "${times[@]}" | sort -n)
    local median=${sorted[runs / 2]} mark=
    local bytes
    bytes=$(wc -c <"$work/answer")
    [ "$median" -le $bar ] || [ "$bytes" -gt 1000000 ] || { mark=' above' slow=yes; }
    printf '| `%s` | %s%s | %s | %s |\n' "$1" "$median" "$mark" "${sorted[runs - 1]}" "$bytes"
}
command_line() { timed "pgq $*" "$pgq" --dsn "$PGQ_DSN" "$@"; }

# The server keeps an answer for a short time, so no two requests are for the same address.
ask() {
    local sign='?'
    [[ $1 != *\?* ]] || sign='&'
    curl -sS --fail-with-body "http://127.0.0.1:$port$1${sign}again=$(date +%N)"
}
page() { timed "$1" ask "$1"; }

fill
printf '\n| what | median | longest | bytes |\n|---|---|---|---|\n'
command_line queues
command_line queues --queue queue7
command_line jobs list
command_line jobs list --limit 1000
command_line jobs list --after "$middle"
command_line jobs list --state held
command_line jobs list --state ready --queue queue7
command_line jobs list --state deferred
command_line jobs list --state leased
command_line jobs list --header tenant=acme
command_line jobs list --header tenant=nobody
command_line jobs list --reason 'reason 7'
command_line jobs list --reason 'reason 7' --state ready
command_line jobs list --reason 'no such reason'
command_line jobs list --since 1h
command_line jobs show "$middle"
command_line jobs show "$first_held"
command_line failed list
command_line failed list --queue queue7
command_line failed show --queue queue7
command_line workers
command_line limits
command_line schedules list
command_line stats
command_line stats --last 48h
command_line stats --last 24h --step 1h
command_line health
command_line doctor
command_line metrics

"$pgq" --dsn "$PGQ_DSN" web --port 0 >"$work/web.out" 2>"$work/web.err" &
web=$!
trap 'status=$?; set +e; kill $web 2>/dev/null; (exit $status); _pgq_at_exit' EXIT
for ((i = 0; i < 100; i++)); do
    port=$(sed -n 's#.*http://127.0.0.1:\([0-9]*\)/.*#\1#p' "$work/web.out" "$work/web.err" | head -1)
    [ -z "$port" ] || break
    read -rt 0.1 <> <(:) || true
done
page /api/overview
page /api/queues
page /api/jobs
page "/api/jobs?after=$middle"
page '/api/jobs?q=state:held'
page '/api/jobs?q=header:tenant=acme'
page '/api/jobs?q=header:tenant=nobody'
page '/api/jobs?q=%22reason%207%22'
page "/api/job/$middle"
page "/api/job/$first_held"
page /api/failed
page /api/workers
page /api/schedules
page /api/limits
page '/api/series?last=1h'
page '/api/series?last=24h'
page '/api/series?last=7d'
page /api/system
page /api/me
[ $slow = no ]
