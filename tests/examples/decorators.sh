#!/usr/bin/env bash
# decorators.sh DECORATORS
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

expect "the output" "$("$1")" \
    'sent to ada@example.org with call 3
ada has 60, grace has 300
report: attempt 1 of 1 failed: timed out after 50 ms
render: attempt 1 of 1 failed: the handler'"'"'s process was ended by signal 11 (Segmentation fault)'
