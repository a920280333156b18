#!/usr/bin/env bash
# cancel.sh CANCEL
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

expect "the output" "$("$1")" \
    "waiting: 3 removed
a worker has film four, attempt 1
running: 1 told to stop
it was cancelled
without a worker: expired"
