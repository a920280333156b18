#!/usr/bin/env bash
# first.sh FIRST
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
first=$1
greetings=$'hello, Edsger\nhello, Ada\nhello, Grace'

expect "the first run" "$("$first" "$PGQ_DSN")" "$greetings"
expect "a run with existing tables" "$("$first" "$PGQ_DSN")" "$greetings"
expect "jobs left" "$(sql 'SELECT count(*) FROM pgq_jobs.job')" 0

output=$(expect_exit 1 "$first" host=/nowhere 2>&1)
expect_like "the error without a server" "$output" '^first: install: .*/nowhere'
