#!/usr/bin/env bash
# checkpoint.sh CHECKPOINT
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

expect "the output" "$("$1" "$PGQ_DSN")" \
    'attempt 1
page 1
page 2
attempt 2
page 3
page 4
100 %, page 4
done'
expect "jobs left" "$(sql 'SELECT count(*) FROM pgq_jobs.job')" 0
expect "tracked jobs left" "$(sql 'SELECT count(*) FROM pgq_jobs.tracked')" 0
