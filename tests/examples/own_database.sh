#!/usr/bin/env bash
# own_database.sh COMMAND...: creates a database, runs COMMAND with PGQ_DSN naming it, and drops the database. The
# examples use the default schema, so each run needs its own database. Exits with 77 (skipped) if the user of PGQ_DSN
# may not create databases.
set -euo pipefail
[ -n "${PGQ_DSN-}" ] || {
    echo "PGQ_DSN is not set: run the tests with tests/run.sh" >&2
    exit 1
}

server=$PGQ_DSN
name=pgq_example_$$_$RANDOM$RANDOM
query() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$server" "$@"; }

if [ "$(query -c 'SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user')" != t ]; then
    echo "the user of PGQ_DSN may not create databases: skipped"
    exit 77
fi
trap 'query -c "DROP DATABASE IF EXISTS $name WITH (FORCE)"' EXIT
query -c "CREATE DATABASE $name TEMPLATE template0 ENCODING 'UTF8'"

# The last dbname in a connection string wins.
case $server in
postgres://*\?* | postgresql://*\?*) PGQ_DSN="$server&dbname=$name" ;;
postgres://* | postgresql://*) PGQ_DSN="$server?dbname=$name" ;;
*) PGQ_DSN="$server dbname=$name" ;;
esac
export PGQ_DSN
"$@"
