#!/usr/bin/env bash
# command_reference.sh [--check] PGQ: writes docs/reference/command.md from what the program PGQ prints for --help.
# --check compares instead; 77 (skipped) if this PGQ lacks a sub-command, because a library was missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
page=docs/reference/command.md

# section MARKS PATH...: the help of a sub-command, and of those below it.
section() {
    local marks=$1 help child
    help=$("${@:2}" --help)
    printf '\n%s pgq%s\n\n```text\n%s\n```\n' "$marks" "$(printf ' %s' "${@:3}" | sed 's/^ $//')" "$help"
    for child in $(awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }' <<<"$help"); do
        section "###" "${@:2}" "$child"
    done
}

write() {
    cat <<'HEAD'
# The command `pgq`

Made by `tools/scripts/command_reference.sh` from what `--help` prints. The [guide](../guides/command.md) has examples, exit codes and formats.
HEAD
    section '##' "$1"
}

case ${1-} in
--check)
    for part in metrics top web; do
        "$2" --help | grep -q "^  $part " || { echo "this pgq has no $part: skipped"; exit 77; }
    done
    diff "$page" <(write "$2") || { echo "$page is old: run tools/scripts/command_reference.sh PGQ" >&2; exit 1; }
    ;;
?*) write "$1" >"$page" ;;
*) sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac
