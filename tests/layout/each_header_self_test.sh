#!/usr/bin/env bash
# Tests each_header.sh: it must accept a good tree and report each fault of a bad one.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

good_tree() {
    mkdir -p "$tree/include/pgq"
    printf '%s\n' '#pragma once' '#include <string>' 'inline std::string a() { return {}; }' >"$tree/include/pgq/a.hpp"
    printf '%s\n' '#pragma once' '#include <pgq/a.hpp>' 'inline std::string b() { return a(); }' >"$tree/include/pgq/b.hpp"
}
expect() {  # WHAT TEXT: the checker fails and prints TEXT
    local output
    if output=$("$BASH" "$here/each_header.sh" "$tree" 2>&1); then
        echo "not reported: $1"
        failed=1
    elif [[ $output != *"$2"* ]]; then
        printf '%s: expected "%s", got:\n%s\n' "$1" "$2" "$output"
        failed=1
    fi
    rm -r "$tree/include"
    good_tree
}

good_tree
output=$("$BASH" "$here/each_header.sh" "$tree") || { echo "the good tree was refused"; failed=1; }
[[ $output == "1 headers to compile"* ]] || { echo "a.hpp is compiled twice: $output"; failed=1; }

sed -i '/string>/d' "$tree/include/pgq/a.hpp"
expect "a missing include" 'pgq/b.hpp does not compile alone'

printf '%s\n' '#pragma once' '#include <pgq/a.hpp>' '#include <pgq/d.hpp>' >"$tree/include/pgq/c.hpp"
printf '%s\n' '#pragma once' 'inline std::string d() { return {}; }' >"$tree/include/pgq/d.hpp"
expect "a header that another one includes later" 'pgq/d.hpp does not compile alone'

echo 'inline int c(int unused) { return 0; }' >>"$tree/include/pgq/a.hpp"
expect "a warning" 'unused parameter'

exit $failed
