#!/usr/bin/env bash
# workflow.sh WORKFLOW
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

expect "what it says" "$("$1")" \
    "fetched start
merged into start.txt
told ada
fetched left
fetched right
merged into both.txt
told grace
told whoever cleans up
held: which failed for good
the other was cancelled"
