#!/usr/bin/env bash
# results.sh RESULTS
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

expect "the output" "$("$1")" \
    "17 / 5 is 3, rest 2
still 3
1 / 0: was held: attempt 1 of 1 failed: division by zero
done
discarded: nobody is at home
done
not yet"
