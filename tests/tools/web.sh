#!/usr/bin/env bash
# web.sh PGQ: the server of `pgq web` against a real database: its routes, its actions, who may do what, and attacks.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
"$pgq_program" --help | grep -q '^  web ' || { echo "this pgq has no web: skipped"; exit 77; }
pgq install >/dev/null
psql -X -q -v ON_ERROR_STOP=1 "$PGQ_DSN" -f "$(dirname "${BASH_SOURCE[0]}")/web_demo.sql"

# The charts are the files that were taken over, unchanged.
(cd "$(dirname "${BASH_SOURCE[0]}")/../../tools/pgq/web/assets/vendor/uplot" && sha256sum --quiet -c SHA256SUMS)

# Wrong use never listens.
refuses 2 'other machines may reach 0.0.0.0, and nobody has to log in; .*--token-file' web --host 0.0.0.0 --port 0
refuses 2 'who reaches jobs.example.com need not log in; give --token-file' web --port 0 --allow-host jobs.example.com
refuses 2 'who reaches jobs.example.com:8443 need not' web --port 0 --allow-host localhost --allow-host jobs.example.com:8443
refuses 2 '--host is no address' web --host example.com --port 0 --token-file <(echo 0123456789abcdef)
echo short >"$work/token"
refuses 2 'the token has less than 16 bytes' web --port 0 --token-file "$work/token"
echo "name without password" >"$work/users"
refuses 2 'a line of the users is not NAME:PASSWORD' web --port 0 --user-file "$work/users"
refuses 2 'the file /nowhere/token cannot be read' web --port 0 --token-file /nowhere/token
refuses 3 '.*' web --port 0 --dsn 'host=/nowhere'
refuses 4 '.*pgq install' web --port 0 --schema elsewhere

python3 "$(dirname "${BASH_SOURCE[0]}")/web_test.py" "$pgq_program" "$PGQ_DSN" "$work"
