#!/usr/bin/env bash
# Writes include/pgq/schema/catalog/generated.hpp: the objects of a new installation. Run it after generate_schema.sh if sql/
# has changed. It installs on the server that PGQ_DSN names, or on a temporary one. CXX names the compiler.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$top/tools/scripts/pg.sh"
pgq_on_exit
work=$(mktemp -d)

"${CXX:-c++}" -std=c++20 -I "$top/include" -I "$(pg_config --includedir)" "$top/tools/schema/catalog.cpp" -lpq -o "$work/print"
pgq_start_postgres >/dev/null
"$work/print" >"$work/catalog"
mv "$work/catalog" "$top/include/pgq/schema/catalog/generated.hpp"
rm -r "$work"
