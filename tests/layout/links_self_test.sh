#!/usr/bin/env bash
# Tests links.sh: it must accept a good tree and report each fault of a bad one.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

good_tree() {
    mkdir -p "$tree/docs/guides"
    echo '[docs](docs/index.md)' >"$tree/README.md"
    printf '%s\n' '# Index' '[a guide](guides/a.md#the-second-one) [elsewhere](https://example.org/x.md)' >"$tree/docs/index.md"
    printf '%s\n' '# A' '## The `second` one' '[back](../index.md)' '```cpp' 'f[0](gone.md)' '```' >"$tree/docs/guides/a.md"
}
expect() {  # WHAT TEXT: the checker fails and prints TEXT
    local output
    if output=$("$BASH" "$here/links.sh" "$tree" 2>&1); then
        echo "not reported: $1"
        failed=1
    elif [ "$output" != "$2" ]; then
        printf '%s: expected "%s", got:\n%s\n' "$1" "$2" "$output"
        failed=1
    fi
    rm -r "$tree/docs"
    good_tree
}

good_tree
"$BASH" "$here/links.sh" "$tree" || { echo "the good tree was refused"; failed=1; }

echo '[x](gone.md)' >>"$tree/docs/guides/a.md"
expect "a dead link" './docs/guides/a.md: a link to gone.md, which does not exist'

echo '[x](../index.md#nothing)' >>"$tree/docs/guides/a.md"
expect "a dead heading" './docs/guides/a.md: a link to ../index.md#nothing, which has no such heading'

echo '# B' >"$tree/docs/guides/b.md"
expect "a page that the index leaves out" 'docs/guides/b.md: docs/index.md does not link to it'

exit $failed
