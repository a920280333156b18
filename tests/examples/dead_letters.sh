#!/usr/bin/env bash
# dead_letters.sh DEAD_LETTERS
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

expect "the output" "$("$1")" \
    "3 held, the first: attempt 1 of 1 failed: no printer
2 requeued
1 removed
invoice 1
invoice 2
invoice 4: attempt 1 of 1 failed: no paper"
