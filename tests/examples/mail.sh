#!/usr/bin/env bash
# mail.sh PRODUCER CONSUMER
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
producer=$1
consumer=$2

expect_like "producer" "$("$producer" 2500)" '^enqueued 2500 jobs in [0-9.]+ s, [0-9]+ jobs/s$'
expect "jobs waiting" "$(sql 'SELECT count(*) FROM pgq_jobs.job')" 2500
expect "consumer" "$("$consumer" --until-empty)" "sent 2500 emails"
expect "a consumer with nothing to do" "$("$consumer" --until-empty "$PGQ_DSN")" "sent 0 emails"

queue_is_empty() { [ "$(sql 'SELECT count(*) FROM pgq_jobs.job')" = 0 ]; }

out=$(mktemp)
trap 'rm -f "$out"' EXIT
for signal in INT TERM; do
    set -m # otherwise bash starts the consumer with INT ignored
    "$consumer" >"$out" &
    worker=$!
    set +m
    "$producer" 1500 "$PGQ_DSN" >/dev/null
    wait_for 30 "an empty queue" queue_is_empty
    kill -s $signal $worker
    expect_exit 0 wait $worker
    expect "consumer after $signal" "$(cat "$out")" "sent 1500 emails"
done
expect "workers still registered" "$(sql 'SELECT count(*) FROM pgq_jobs.worker')" 0

expect_exit 2 "$producer" 2>/dev/null
expect_exit 2 "$producer" ten 2>/dev/null
expect_exit 2 "$producer" 0 2>/dev/null
expect_exit 2 "$consumer" --what 2>/dev/null
output=$(expect_exit 1 "$consumer" host=/nowhere 2>&1)
expect_like "the error without a server" "$output" '^consumer: install: .*/nowhere'
