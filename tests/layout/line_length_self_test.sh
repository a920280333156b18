#!/usr/bin/env bash
# Tests line_length.sh: it must accept a good tree and report each long line of a bad one.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0
mkdir -p "$tree/include" "$tree/tests"

letters() { printf "%0.s$2" $(seq "$1"); }
expect() {  # WHAT FILE: the checker fails and names FILE alone
    local output
    if output=$("$BASH" "$here/line_length.sh" "$tree" 2>&1); then
        echo "not reported: $1"
        failed=1
    elif [ "$(sed 1d <<<"$output" | cut -d: -f1)" != "$2" ]; then
        printf '%s: expected one line of %s, got:\n%s\n' "$1" "$2" "$output"
        failed=1
    fi
    rm "$tree/$2"
}

{
    echo "// $(letters 117 é)"
    echo "// https://example.org/$(letters 120 x)"
    echo "// expect: $(letters 120 x)"
} >"$tree/include/good.hpp"
letters 121 x >"$tree/include/generated.hpp"
"$BASH" "$here/line_length.sh" "$tree" || { echo "the good tree was refused"; failed=1; }

echo "// $(letters 118 é)" >"$tree/tests/comment.cpp"
expect "a long comment" tests/comment.cpp

mkdir "$tree/sql"
echo "SELECT $(letters 114 1)" >"$tree/sql/long.sql"
expect "long SQL" sql/long.sql

exit $failed
