#!/usr/bin/env bash
# line_length.sh ROOT: checks that no line of the code, its comments and its SQL is longer than 120 characters, because
# clang-format leaves comments and strings as they are. A line may be longer if it has a URL, or the text that a test
# of a compiler's message expects. Generators write generated.hpp and
# the stored statements.
set -euo pipefail
cd "$1"
folders=()
for folder in include tests examples bench tools packaging sql; do [ ! -d $folder ] || folders+=($folder); done

long=$(find "${folders[@]}" \( -name '*.hpp' -o -name '*.ipp' -o -name '*.cpp' -o -name '*.sql' \) \
    ! -path '*/generated.hpp' ! -path '*_stored_statements.sql' ! -path '*/build/*' -print0 |
    LC_ALL=C.UTF-8 xargs -0 -r grep -HnE '^.{121,}$' | grep -vE '[a-z]://|^[^:]*:[0-9]+:// expect: ' || true)
[ -z "$long" ] || { printf 'longer than 120 characters:\n%s\n' "$long" >&2; exit 1; }
