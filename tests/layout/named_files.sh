#!/usr/bin/env bash
# named_files.sh ROOT: checks what docs/design/walk.md and CONTRIBUTING.md say about the tree:
#
# - each file and folder that they name exists, in ROOT, in include/pgq/ or below it (a name with <...> or * is a form);
# - each function that a table of the walk names beside a file stands in that file;
# - the picture in CONTRIBUTING.md names each folder of include/pgq.
set -euo pipefail
cd "$1"
bad=0
complain() {
    echo "$*" >&2
    bad=1
}

names_in() {  # PAGE: the words that look like a file with a known ending, or like a folder
    sed -E 's/`[^`]*[<*][^`]*`//g; s/\]\([^)]*\)//g' "$1" |
        grep -oE '[A-Za-z0-9_.][A-Za-z0-9_./-]*(\.(hpp|cpp|sql|sh|md|awk|cmake)|/)(`|[^A-Za-z0-9_./<-]|$)' |
        sed -E 's/[^A-Za-z0-9_/]$//' | grep -E '\.[a-z]+$|^[a-z_]+/' | LC_ALL=C sort -u
}
find_file() {  # NAME: its path
    local place
    for place in "$1" "include/pgq/$1" "docs/design/$1"; do
        [ ! -e "$place" ] || { echo "$place"; return; }
    done
}

for page in docs/design/walk.md CONTRIBUTING.md; do
    seen=0
    while IFS= read -r name; do
        seen=$((seen + 1))
        [[ $name == /* || -n $(find_file "$name") ]] || complain "$page: there is no $name"
    done < <(names_in "$page")
    [ $seen -gt 0 ] || complain "$page: names no file"
done

while IFS='|' read -r _ file functions _; do
    file=$(tr -d '` ' <<<"$file")
    path=$(find_file "$file")
    [ -n "$path" ] || continue
    for name in $(grep -oE '`[a-z_]+`' <<<"$functions" | tr -d '`' || true); do
        grep -qwF -- "$name" "$path" || complain "docs/design/walk.md: $file has no $name"
    done
done < <(grep -E '^\| `[a-z0-9_/]+\.(hpp|sql)` \| ' docs/design/walk.md)

picture=$(awk '/^```/ { if (inside) exit; inside = 1; next } inside' CONTRIBUTING.md)
for folder in include/pgq/*/; do
    grep -qwF -- "$(basename "$folder")" <<<"$picture" || complain "CONTRIBUTING.md: the picture lacks $folder"
done
exit $bad
