#!/usr/bin/env bash
# cancel.sh CANCEL
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

expect "what it says" "$("$1")" \
    "waiting: 3 gone
running: 1 asked to stop
it was cancelled
nobody worked: expired"
