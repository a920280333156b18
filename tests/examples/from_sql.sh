#!/usr/bin/env bash
# from_sql.sh FROM_SQL
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
from_sql=$1
file=$(dirname "${BASH_SOURCE[0]}")/../../examples/from_sql.sql
run() { psql -X -q -v ON_ERROR_STOP=1 "$@" "$PGQ_DSN"; }

"$from_sql" sql | run -1
"$from_sql" sql | run -1 # the script may run again
run -1 -f "$file"

sql "INSERT INTO orders (customer, items) VALUES ('Ada', '{engine,\"gear, small\"}')"
sql "INSERT INTO orders (customer, items, express, note) VALUES ('Grace; --', '{}', true, 'ring twice')"
sql "BEGIN; INSERT INTO orders (customer, items) VALUES ('Nobody', '{x}'); ROLLBACK"
sql "SELECT pgq_jobs.enqueue_ship_order('{\"order\": 7, \"customer\": \"Edsger\"}', priority => -1)"
expect "jobs waiting" "$(sql 'SELECT count(*) FROM pgq_jobs.job')" 3
expect "what the workers do" "$("$from_sql" work)" 'order 2: 0 items to Grace; --, express, ring twice
order 1: 2 items to Ada
order 7: 0 items to Edsger'

output=$(sql "SELECT pgq_jobs.enqueue_ship_order('{\"oder\": 7}')" 2>&1 || true)
expect_like "a typo" "$output" '\$\.oder: the job type has no such member.*its members are: order, customer, items'
output=$(sql "INSERT INTO orders (customer, items) VALUES ('Ada', ARRAY[NULL])" 2>&1 || true)
expect_like "a null among the items" "$output" '\$\.items\.0: expected a string, found null'
expect "committed orders" "$(sql 'SELECT count(*) FROM orders')" 2
expect_exit 2 "$from_sql" 2>/dev/null
