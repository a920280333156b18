#!/usr/bin/env bash
# pooler.sh PROGRAM ARGUMENT...: runs a test program in which the library's connections go through a PgBouncer in
# transaction mode (PGQ_LIBRARY_DSN), and the tests' own statements go to the server. Tests with the tag [direct] need a
# session of their own: they wait for a wake-up, or are about what a session keeps. If PgBouncer cannot be installed, it
# says so and exits with 77: the test is skipped.
set -euo pipefail
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$tests/../tools/scripts/pg.sh"

pooler=
pooler_dir=
stop_pooler() {
    [ -z "$pooler" ] || kill "$pooler" 2>/dev/null || true
    [ -z "$pooler_dir" ] || rm -rf "$pooler_dir"
}

pgq_on_exit
trap 'status=$?; set +e; stop_pooler; (exit $status); _pgq_at_exit' EXIT
if ! pgq_need pgbouncer >&2 || ! command -v pgbouncer /usr/sbin/pgbouncer >/dev/null; then
    echo "skipped: PgBouncer is not installed"
    exit 77
fi
unset PGQ_DSN
pgq_start_postgres

pooler_dir=$(mktemp -d /tmp/pgq_pooler.XXXXXX)
server=${PGQ_DSN#host=}
server=${server%% *}
# Each transaction gets another session.
cat >"$pooler_dir/ini" <<INI
[databases]
* = host=$server port=5432 auth_user=pgq
[pgbouncer]
listen_port = 6432
unix_socket_dir = $pooler_dir
auth_type = trust
auth_query = SELECT rolname, NULL FROM pg_catalog.pg_roles WHERE rolname = \$1
logfile = $pooler_dir/log
pool_mode = transaction
max_client_conn = 1000
default_pool_size = 50
server_round_robin = 1
INI
as=()
if [ -n "$_pgq_pg_user" ]; then
    chown -R "$_pgq_pg_user" "$pooler_dir"
    as=(-u "$_pgq_pg_user")
fi
PATH=$PATH:/usr/sbin pgbouncer -q "${as[@]}" "$pooler_dir/ini" &
pooler=$!
for _ in $(seq 100); do
    ! "$_pgq_pg_bin/pg_isready" -q -h "$pooler_dir" -p 6432 || break
    kill -0 "$pooler" || { cat "$pooler_dir/log" >&2; exit 1; }
    sleep 0.1
done

export PGQ_POOLED=yes
export PGQ_LIBRARY_DSN="host=$pooler_dir port=6432 user=pgq dbname=pgq"
pgq_run "$@"
