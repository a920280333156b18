#!/usr/bin/env bash
# pooler.sh PROGRAM ARGUMENT...: runs a test program in which the library's connections go through a PgBouncer in
# transaction mode (PGQ_LIBRARY_DSN), and the tests' own statements go to the server. Tests with the tag [direct] need a
# session of their own: they wait for a wake-up, or are about what a session keeps. If PgBouncer cannot be installed, it
# says so and exits with 77: the test is skipped.
set -euo pipefail
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$tests/../tools/scripts/pg.sh"

pgq_on_exit
if ! pgq_need pgbouncer >&2 || ! command -v pgbouncer /usr/sbin/pgbouncer >/dev/null; then
    echo "skipped: PgBouncer is not installed"
    exit 77
fi
unset PGQ_DSN
pgq_start_postgres
pgq_start_pooler
export PGQ_POOLED=yes PGQ_LIBRARY_DSN="$PGQ_POOLER_DSN"
pgq_run "$@"
