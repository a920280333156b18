#!/usr/bin/env bash
# Tests named_files.sh: it must accept a good tree and report each fault of a bad one.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

good_tree() {
    rm -rf "${tree:?}"/*
    mkdir -p "$tree/docs/design" "$tree/include/pgq/fsm" "$tree/tests"
    echo 'void next();' >"$tree/include/pgq/fsm/worker.hpp"
    printf '%s\n' '| `fsm/worker.hpp` | `next` | decides |' >"$tree/docs/design/walk.md"
    printf '%s\n' '```' ' algorithms  fsm' '```' '`tests/` and `fsm/worker.hpp`, `limiter/<name>.hpp`' >"$tree/CONTRIBUTING.md"
}
expect() {  # WHAT TEXT: the checker fails and prints TEXT
    local output
    if output=$("$BASH" "$here/named_files.sh" "$tree" 2>&1); then
        echo "not reported: $1"
        failed=1
    elif [ "$output" != "$2" ]; then
        printf '%s: expected "%s", got:\n%s\n' "$1" "$2" "$output"
        failed=1
    fi
    good_tree
}

good_tree
"$BASH" "$here/named_files.sh" "$tree" || { echo "the good tree was refused"; failed=1; }

echo '`fsm/gone.hpp`' >>"$tree/CONTRIBUTING.md"
expect "a file that is gone" 'CONTRIBUTING.md: there is no fsm/gone.hpp'

echo '`bench/`' >>"$tree/docs/design/walk.md"
expect "a folder that is gone" 'docs/design/walk.md: there is no bench/'

echo 'void other();' >"$tree/include/pgq/fsm/worker.hpp"
expect "a function that is gone" 'docs/design/walk.md: fsm/worker.hpp has no next'

mkdir "$tree/include/pgq/event"
expect "a room that the picture lacks" 'CONTRIBUTING.md: the picture lacks include/pgq/event/'

exit $failed
