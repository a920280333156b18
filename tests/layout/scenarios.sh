#!/usr/bin/env bash
# scenarios.sh ROOT: each test that docs/design/scenarios.md and docs/reference/promises.md name (`FILE` *NAME*, or [`FILE`](LINK) *NAME*) is there, by
# that name, and each promise of docs/reference/promises.md names one.
set -euo pipefail
root=$1
bad=0
for page in docs/design/scenarios.md docs/reference/promises.md; do
    seen=0
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
            echo "$page: no test \"$name\" in $file" >&2
            bad=1
        fi
    done < <(grep -oE '`[^`]+\.cpp`(\]\([^)]*\))? \*[^*]+\*' "$root/$page")
    [ $seen -gt 0 ] || bad=1
done
while IFS= read -r promise; do
    echo "docs/reference/promises.md: a promise without a test: $promise" >&2
    bad=1
done < <(grep -E '^\| ' "$root/docs/reference/promises.md" | grep -vE '^\| promise \||\.cpp`\]\([^)]*\) \*[^*]+\* \|$' || true)
exit $bad
