#!/usr/bin/env bash
# scenarios.sh ROOT: checks that each test exists that docs/design/scenarios.md and docs/reference/promises.md name
# (`FILE` *NAME*, or [`FILE`](LINK) *NAME*), that each promise of docs/reference/promises.md names a test, and that a
# mutation of tests/mutations makes one of its tests fail. The tests of stress/ and plans/ need no mutation: they take
# minutes.
set -euo pipefail
root=$1
bad=0
mutated=$(mktemp)
trap 'rm -f "$mutated"' EXIT
for page in docs/design/scenarios.md docs/reference/promises.md; do
    seen=0
    while IFS= read -r reference; do
        file=${reference#\`}
        file=${file%%\`*}
        name=${reference#*\*}
        name=${name%\*}
        [[ $file == */* ]] || file=tests/scenarios/$file
        seen=$((seen + 1))
        # Joins the literals of a name that takes several lines.
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

# The names of templates end with that of the driver.
sed -n 's/^test: [a-z]*: //p' "$root"/tests/mutations/*.txt | sed -E 's/ - [a-z_]+$//' >"$mutated"
while IFS= read -r promise; do
    quick=$(grep -oE '`[^`]+\.cpp`\]\([^)]*\) \*[^*]+\*' <<<"$promise" | grep -vE '^`tests/(stress|plans)/' || true)
    [ -n "$quick" ] || continue
    sed -E 's/^[^*]*\*//; s/\*$//; s/\\"/"/g' <<<"$quick" | grep -qxFf - "$mutated" || {
        echo "docs/reference/promises.md: no mutation in tests/mutations breaks the promise: $promise" >&2
        bad=1
    }
done < <(grep -E '^\| .*\.cpp`' "$root/docs/reference/promises.md")
exit $bad
