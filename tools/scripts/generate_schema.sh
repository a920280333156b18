#!/usr/bin/env bash
# Writes include/pgq/schema/generated.hpp from sql/NNNN_name.sql. With --check it only compares.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
target=$top/include/pgq/schema/generated.hpp

generate() {
    local file base version count=0
    cat <<'HEAD'
#pragma once

// Written by tools/scripts/generate_schema.sh from sql/*.sql: change those.

#include <pgq/schema/migration.hpp>

#include <array>

namespace pgq::schema {

HEAD
    for file in "$top"/sql/[0-9][0-9][0-9][0-9]_*.sql; do count=$((count + 1)); done
    printf 'inline constexpr std::array<migration, %d> migrations{{\n' "$count"
    for file in "$top"/sql/[0-9][0-9][0-9][0-9]_*.sql; do
        base=$(basename "$file" .sql)
        version=$((10#${base%%_*}))
        printf '    {%d, "%s", R"sql(' "$version" "${base#*_}"
        sed 's/:"schema"/{s}/g' "$file"
        printf ')sql"},\n'
    done
    cat <<'TAIL'
}};

/// The version that this library knows.
inline constexpr int version = migrations.back().version;

}  // namespace pgq::schema
TAIL
}

if [ "${1:-}" = --check ]; then
    generate | diff -u "$target" - || { echo "schema/generated.hpp does not match sql/: run $0" >&2; exit 1; }
else
    generate > "$target.new" && mv "$target.new" "$target"
fi
