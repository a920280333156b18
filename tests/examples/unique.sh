#!/usr/bin/env bash
# unique.sh UNIQUE
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

expect "the output" "$("$1")" \
    "again: not enqueued, with the id of the first
refused: a job with the unique key \"welcome:grace\" is there already
repeated: the same job
welcome, ada
welcome, grace
welcome, barbara
digest for ada: three messages
digest for bob: one message
later: new"
