#!/usr/bin/env bash
# links.sh ROOT: checks that each relative link of the pages leads to an existing file and heading, and that
# docs/index.md links to each page of docs/.
set -euo pipefail
cd "$1"
bad=0
complain() {
    echo "$*" >&2
    bad=1
}

links_of() {  # PAGE: its links, except those in code blocks and those to other sites
    awk '/^```/ { code = !code; next } !code' "$1" | sed 's/`[^`]*`//g' | { grep -oE '\]\([^) ]+\)' || true; } |
        sed 's/^](//; s/)$//; /:\/\//d'
}

# The anchors of a page: those that GitHub makes of its headings, and those that the page defines.
anchors_of() {  # PAGE
    awk '/^```/ { code = !code; next } !code && /^#/' "$1" | sed -E 's/^#+ //; s/\[([^]]*)\]\([^)]*\)/\1/g' |
        tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9 _-]//g; s/ /-/g'
    { grep -oE '<a id="[^"]+"' "$1" || true; } | sed 's/.*="//; s/"$//'
}

check_link() {  # PAGE LINK
    local path=${2%%#*} target=$1
    [ -z "$path" ] || target=$(dirname "$1")/$path
    if [ ! -e "$target" ]; then
        complain "$1: a link to $path, which does not exist"
    elif [[ $2 == *'#'* && $target == *.md ]]; then
        anchors_of "$target" | grep -qxF -- "${2#*#}" || complain "$1: a link to $2, which has no such heading"
    fi
}

pages=$(find . -maxdepth 1 -name '*.md'; find ./docs -name "*.md")
for page in $pages; do
    while IFS= read -r link; do
        [ -z "$link" ] || check_link "$page" "$link"
    done <<<"$(links_of "$page")"
done

reached=$(links_of docs/index.md | sed 's/#.*//' | while IFS= read -r link; do realpath -m --relative-to=. "docs/$link"; done)
for page in $(find docs -name '*.md' ! -path docs/index.md); do
    grep -qxF -- "$page" <<<"$reached" || complain "$page: docs/index.md does not link to it"
done
exit $bad
