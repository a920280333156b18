#!/usr/bin/env bash
# transaction.sh TRANSACTION
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

expect "the output" "$("$1" "$PGQ_DSN")" \
    '70 from ada to grace, rolled back
ada has 30
grace has 70
booked
refused'
expect "jobs left" "$(sql 'SELECT count(*) FROM pgq_jobs.job')" 0
