#!/usr/bin/env bash
# workflow.sh WORKFLOW
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

expect "the output" "$("$1")" \
    "fetched start
merged into start.txt
notified ada
fetched left
fetched right
merged into both.txt
notified grace
notified the operator
held: which failed for good
the other was cancelled"
