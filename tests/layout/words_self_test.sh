#!/usr/bin/env bash
# Tests words.sh: it must accept a good tree and report a word wherever it stands.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0
mkdir -p "$tree/include/pgq" "$tree/sql"

echo 'auto old = std::exchange(link, nullptr); // newsletter' >"$tree/include/pgq/a.hpp"
"$BASH" "$here/words.sh" "$tree" || { echo "the good tree was refused"; failed=1; }

for line in 'struct verdict {};' '// the worker hears of it'; do
    echo "$line" >"$tree/include/pgq/b.hpp"
    if output=$("$BASH" "$here/words.sh" "$tree" 2>&1); then
        echo "not reported: $line"
        failed=1
    elif [[ $output != "include/pgq/b.hpp:1: not '"* ]]; then
        printf '%s: got\n%s\n' "$line" "$output"
        failed=1
    fi
done
exit $failed
