#!/usr/bin/env bash
# tidy.sh: clang-tidy over every header, by .clang-tidy. 77 (skipped) without clang-tidy 14, because each version has
# other checks. One file that includes all headers costs a minute; a file for each header would cost an hour.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/layout/headers.sh

tool=
for candidate in clang-tidy-14 clang-tidy; do
    if command -v $candidate >/dev/null && $candidate --version | grep -q 'version 14\.'; then
        tool=$candidate
        break
    fi
done
if [ -z "$tool" ]; then
    echo "clang-tidy 14 is not installed: skipped"
    exit 77
fi

all=$(mktemp --suffix=.cpp)
trap 'rm -f "$all"' EXIT
pgq_headers ! -path 'pgq/testing*' | sed 's/.*/#include <&>/' >"$all"

"$tool" --quiet --config-file=.clang-tidy "$all" -- "${pgq_clang[@]}"
