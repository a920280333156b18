#!/usr/bin/env bash
# unique.sh UNIQUE
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

expect "what it says" "$("$1")" \
    "again: not enqueued, its id is the first one's
refused: a job with the unique key \"welcome:grace\" is there already
welcome, ada
welcome, grace
digest for ada: three messages
digest for bob: one message
later: a new one"
