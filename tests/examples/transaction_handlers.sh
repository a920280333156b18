#!/usr/bin/env bash
# transaction_handlers.sh TRANSACTION_HANDLERS
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

sql "CREATE TABLE account (name text, cents bigint);
     CREATE TABLE first_gift (name text PRIMARY KEY);
     INSERT INTO account VALUES ('ada', 3000), ('grace', 0)"
expect "the output" "$("$1" "$PGQ_DSN")" \
    "grace got 2500, the first time
grace got 500, again
held: grace cannot pay"
expect "accounts" "$(sql "SELECT string_agg(name || ' ' || cents, ', ' ORDER BY name) FROM account")" "ada 0, grace 3000"
