#!/usr/bin/env bash
# batch.sh BATCH
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

expect "the output" "$("$1")" \
    "invoice for 'ada', attempt 1: done
invoice for '', attempt 1: hold
invoice for 'grace', attempt 1: done
stored 60 readings in a few calls
held: nobody to send it to"
