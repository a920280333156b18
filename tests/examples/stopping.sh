#!/usr/bin/env bash
# stopping.sh STOPPING
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

expect "the output" "$("$1")" \
    "a.csv: undone, the job was cancelled
a.csv was cancelled
b.csv: undone, the time limit of the handler is over
after the time limit: 1 jobs wait, 0 run
after a shutdown: 2 jobs wait, 0 run
after another one: 2 jobs wait, 0 run"
