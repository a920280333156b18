#!/usr/bin/env bash
# at_most_once.sh AT_MOST_ONCE
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

expect "the output" "$("$1")" \
    'north: ding
ring_bell: the rope is torn
south: ding
sent to ada@example.org
no bell is left'
