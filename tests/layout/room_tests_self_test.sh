#!/usr/bin/env bash
# Tests room_tests.sh: it must accept a good tree and report each fault of a bad one.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

good_tree() {
    mkdir -p "$tree"/include/pgq/{job,event} "$tree"/tests/unit/{job,observer}
    touch "$tree"/include/pgq/{queue,job/id,event/events}.hpp "$tree"/tests/unit/{job/id,observer/log}.cpp
}
expect() {  # WHAT TEXT: the checker fails and prints TEXT
    local output
    if output=$("$BASH" "$here/room_tests.sh" "$tree" 2>&1); then
        echo "not reported: $1"
        failed=1
    elif [ "$output" != "$2" ]; then
        printf '%s: expected "%s", got:\n%s\n' "$1" "$2" "$output"
        failed=1
    fi
    rm -r "$tree"/{include,tests}
    good_tree
}

good_tree
"$BASH" "$here/room_tests.sh" "$tree" || { echo "the good tree was refused"; failed=1; }

mkdir -p "$tree/include/pgq/driver/new"
touch "$tree/include/pgq/driver/new/x.hpp"
expect "a new room without tests" 'driver/new: no tests in tests/unit/driver/new'

rm -r "$tree/tests/unit/observer"
expect "an exception that leads nowhere" 'event: tests/unit/observer does not exist'

mkdir "$tree/tests/unit/event"
touch "$tree/tests/unit/event/events.cpp"
expect "an exception that is not needed" \
    'event: has tests in tests/unit/event; take it off the list of tests/layout/room_tests.sh'

rm -r "$tree/include/pgq/"*
expect "nothing to check" 'include/pgq: there are no rooms'

exit $failed
