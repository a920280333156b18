#!/usr/bin/env bash
# in_parts.sh PARTS PROGRAM FILTER: runs the tests of a Catch program that match, in PARTS processes at a time, because most of
# them wait for a server. Those with the tag [alone] follow by themselves. Those of driver::memory have no connection,
# and are left out. Hidden tests are left out, too.
set -euo pipefail
parts=$1 program=$2 filter=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

list=(--list-tests --verbosity quiet) # of version 3 of Catch
[[ $("$program" --help 2>&1) != *--list-test-names-only* ]] || list=(--list-test-names-only)

# names FILTER FILE: the names of the tests that match, as in a file for --input-file.
names() {
    "$program" "${list[@]}" "$1" | grep -vE -- '(^$| - memory$)' | sed 's/[][\\,"]/\\&/g' >"$2" || true
}

failed=0
run_part() { # PART
    "$program" --input-file "$folder/$1" >"$folder/$1.out" 2>&1
}
end_part() { # PART STATUS
    [ "$2" = 0 ] || failed=1
    sed '/^Filters: /,/^$/d' "$folder/$1.out"
}

names "$filter~[.]~[alone]" "$folder/all"
[ -s "$folder/all" ] || {
    echo "no test of $program matches $filter" >&2
    exit 1
}
awk -v parts="$parts" -v folder="$folder" '{ print > (folder "/part" NR % parts) }' "$folder/all"
running=()
for ((i = 0; i < parts; i++)); do
    run_part "part$i" &
    running+=($!)
done
for ((i = 0; i < parts; i++)); do
    status=0
    wait "${running[i]}" || status=$?
    end_part "part$i" $status
done

names "$filter~[.][alone]" "$folder/alone"
if [ -s "$folder/alone" ]; then
    status=0
    run_part alone || status=$?
    end_part alone $status
fi
exit $failed
