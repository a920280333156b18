#!/usr/bin/env bash
# high_oids.sh PROGRAM ARGUMENT...: runs a test program on a server whose next oids are above 2^31. A schema has such an
# oid after some billions of objects, among them each large value.
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/tools/scripts/pg.sh"

pgq_on_exit
unset PGQ_DSN
PGQ_PG_FIRST_OID=3000000000
pgq_start_postgres
pgq_run "$@"
