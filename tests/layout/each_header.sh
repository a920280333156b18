#!/usr/bin/env bash
# each_header.sh [ROOT]: compiles each header of ROOT/include alone, with the warnings of the tests. A header that another
# one includes before anything else is compiled alone there, and is left out. Clang takes half of GCC's time, and uses
# the same standard library; test_odr compiles all headers with GCC, in both orders.
set -euo pipefail
layout=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "${1:-$layout/../..}"
. "$layout/headers.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export work

pgq_headers | while read -r header; do
    { grep -m1 -oE '^#include <[^>]+>' "include/$header" || true; } | sed 's/^#include <\(.*\)>$/\1/'
done | LC_ALL=C sort -u >"$work/first"
pgq_headers | LC_ALL=C comm -23 - "$work/first" >"$work/alone"
echo "$(wc -l <"$work/alone") headers to compile, which have $(pgq_headers | wc -l) in the first place"

one() {
    local header=$1
    shift
    echo "#include <$header>" | "$@" >"$work/$$.out" 2>&1 && return
    {
        echo "$header does not compile alone:"
        head -n 40 "$work/$$.out"
    } >&2
    return 1
}
export -f one

xargs -P "${PGQ_JOBS:-$(nproc)}" -I{} bash -c 'one "$@"' one {} \
    clang++ -x c++ "${pgq_clang[@]}" -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror \
    -fsyntax-only - <"$work/alone"
