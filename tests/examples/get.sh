#!/usr/bin/env bash
# get.sh GET
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

expect "the output" "$("$1" "$PGQ_DSN")" \
    'umm, Cox apples taste good
umm, Arthur Turner apples taste good
umm, Golden Delicious apples taste good
none is left
umm, Braeburn apples taste good
umm, Elstar apples taste good
umm, Gala apples taste good
umm, Boskoop apples taste good
umm, Jonagold apples taste good
1 left for cider
Windfall, delivery 1
Windfall, delivery 2'
expect "jobs left" "$(sql 'SELECT count(*) FROM pgq_jobs.job')" 0
expect "workers still registered" "$(sql 'SELECT count(*) FROM pgq_jobs.worker')" 0
