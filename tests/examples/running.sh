#!/usr/bin/env bash
# running.sh RUNNING PRODUCER
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
program=$1
producer=$2

# The answer to GET $1 at port $2: the status and the body.
get() {
    exec 3<>"/dev/tcp/127.0.0.1/$2" || return 1
    printf 'GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n' "$1" >&3
    cat <&3
    exec 3>&-
}
# A port that nothing listens on. Another program may take it before the program does: then the next one is tried.
port=$((20000 + RANDOM % 20000))
while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done

out=$(mktemp)
trap 'rm -f "$out"' EXIT
"$program" --port $port "$PGQ_DSN" >"$out" &
running=$!
is_ready() { [[ $(get /readyz $port) == *"200 OK"* ]]; }
wait_for 30 "readiness" is_ready
expect_like "the body" "$(get /healthz $port)" '"healthy":true,"ready":true'
expect_like "another path" "$(get / $port)" '^HTTP/1.1 404'

kill -s HUP $running
"$producer" 20 "$PGQ_DSN" >/dev/null
queue_is_empty() { [ "$(sql 'SELECT count(*) FROM pgq_jobs.job')" = 0 ]; }
wait_for 30 "an empty queue" queue_is_empty
kill -s TERM $running
expect_exit 0 wait $running
expect "workers still registered" "$(sql 'SELECT count(*) FROM pgq_jobs.worker')" 0
expect_exit 1 "$program" host=/nowhere 2>/dev/null
