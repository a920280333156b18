#!/usr/bin/env bash
# scenarios.sh ROOT: each test that docs/design/scenarios.md names (`FILE` *NAME*) is there, by that name.
set -euo pipefail
root=$1
bad=0 seen=0
while IFS= read -r reference; do
    file=${reference#\`}
    file=${file%%\`*}
    name=${reference#*\*}
    name=${name%\*}
    [[ $file == */* ]] || file=tests/scenarios/$file
    seen=$((seen + 1))
    # A name of several lines is one literal behind the other.
    sources=$(sed -z 's/"[[:space:]]*\n[[:space:]]*"//g; s/TEST_CASE([[:space:]]*/TEST_CASE(/g' "$root/$file")
    if ! grep -qF -- "TEST_CASE(\"$name\"" <<<"$sources"; then
        echo "docs/design/scenarios.md: no test \"$name\" in $file" >&2
        bad=1
    fi
done < <(grep -oE '`[^`]+\.cpp` \*[^*]+\*' "$root/docs/design/scenarios.md")
[ $seen -gt 0 ] || bad=1
exit $bad
