#!/usr/bin/env bash
# hostile.sh PROGRAM ARGUMENT...: runs a test program on a server where the library's sessions have the hostile defaults
# of support/hostile.hpp: those of the role in PGQ_LIBRARY_DSN. The tests' own statements have the usual ones. All tables
# are published, each DDL command fires an event trigger, and new oids are above 2^31.
set -euo pipefail
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$tests/../tools/scripts/pg.sh"

pgq_on_exit
unset PGQ_DSN
PGQ_PG_FIRST_OID=3000000000
PGQ_PG_SETTINGS='wal_level = logical'
pgq_start_postgres

sql() { "$_pgq_pg_bin/psql" -qX -v ON_ERROR_STOP=1 -d "$PGQ_DSN" "$@"; }

sql <<'SQL'
CREATE ROLE hostile LOGIN SUPERUSER;
CREATE SCHEMA hostile;
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE TABLE public.ddl_log (command text, at timestamptz DEFAULT clock_timestamp());
CREATE FUNCTION public.log_ddl() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN INSERT INTO public.ddl_log (command) VALUES (tg_tag); END $$;
CREATE EVENT TRIGGER log_ddl ON ddl_command_end EXECUTE FUNCTION public.log_ddl();
ALTER EVENT TRIGGER log_ddl ENABLE ALWAYS;
SQL

# Functions that hide those of PostgreSQL.
grep -oE '"[a-z_]+\([a-z0-9, ]*\) RETURNS [a-z0-9]+"' "$tests/support/hostile.hpp" | tr -d '"' | while IFS= read -r function; do
    echo "CREATE FUNCTION hostile.$function LANGUAGE plpgsql AS \$\$ BEGIN RAISE 'a hidden function was called'; END \$\$;"
done | sql

known=$(sql -Atc 'SELECT lower(name) FROM pg_settings')
sed -nE 's/^ *hostile_setting\{"([^"]+)", "([^"]+)"\},$/\1\t\2/p' "$tests/support/hostile.hpp" | while IFS=$'\t' read -r name value; do
    grep -qx "${name,,}" <<<"$known" || continue
    # A busy machine pauses for longer than the times there: between a connection and its first statement, and in the
    # transactions of the tests' own connections, which keep these settings.
    case $name in *_timeout) value=30s ;; esac
    [ "$name" = search_path ] || value="'$value'"
    echo "ALTER ROLE hostile SET $name = $value;"
done | sql
[ "$(sql -Atc "SELECT cardinality(rolconfig) > 20 FROM pg_roles WHERE rolname = 'hostile'")" = t ]

export PGQ_LIBRARY_DSN="$PGQ_DSN user=hostile"
pgq_run "$@"
