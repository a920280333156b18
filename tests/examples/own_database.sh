#!/usr/bin/env bash
# own_database.sh COMMAND...: runs it with PGQ_DSN naming a database that nobody else uses, and removes that. The examples
# use the default schema, so this keeps runs apart. 77 (skipped) when the user of PGQ_DSN may not create databases.
set -euo pipefail
[ -n "${PGQ_DSN-}" ] || {
    echo "PGQ_DSN is not set: run the tests with tests/run.sh" >&2
    exit 1
}

server=$PGQ_DSN
name=pgq_example_$$_$RANDOM$RANDOM
ask() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$server" "$@"; }

if [ "$(ask -c 'SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user')" != t ]; then
    echo "the user of PGQ_DSN may not create databases: skipped"
    exit 77
fi
trap 'ask -c "DROP DATABASE IF EXISTS $name WITH (FORCE)"' EXIT
ask -c "CREATE DATABASE $name TEMPLATE template0 ENCODING 'UTF8'"

# What comes last in a connection string counts.
case $server in
postgres://*\?* | postgresql://*\?*) PGQ_DSN="$server&dbname=$name" ;;
postgres://* | postgresql://*) PGQ_DSN="$server?dbname=$name" ;;
*) PGQ_DSN="$server dbname=$name" ;;
esac
export PGQ_DSN
"$@"
