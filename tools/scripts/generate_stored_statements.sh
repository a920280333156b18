#!/usr/bin/env bash
# Writes sql/0009_stored_statements.sql from the statements in include/pgq/statement/, and include/pgq/schema/generated.hpp
# from that. Run it after a change to a statement that is marked `as_stored()`. CXX names the compiler. It needs libpq-dev.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${CXX:-c++}" -std=c++20 -I "$top/include" -I "$(pg_config --includedir)" "$top/tools/schema/stored_statements.cpp" -o "$work/print"
"$work/print" >"$work/sql"
mv "$work/sql" "$top/sql/0009_stored_statements.sql"
"$top/tools/scripts/generate_schema.sh"
