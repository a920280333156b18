#!/usr/bin/env bash
# discover.sh PROGRAM LABEL OUTPUT: writes one add_test() for each test case of a Catch2 program.
#
# Unlike the script of Catch2, it gives a test several labels, allows any character in a name, and fails if a name
# matches no test.
set -euo pipefail

program=$1 label=$2 output=$3
list=$output.list
trap 'rm -f "$list" "$output.new"' EXIT

# Version 3 exits with 0. Version 2 exits with the number of tests, so a crash shows only in the number of lines.
list_names() {
    local status=0 lines
    if [[ $("$program" --help 2>&1) == *--list-test-names-only* ]]; then
        "$program" --list-test-names-only "$1" >"$list" || status=$?
    else
        "$program" --list-tests --verbosity quiet "$1" >"$list" || status=$?
    fi
    lines=$(wc -l <"$list")
    [ $status = 0 ] || [ $status = $((lines < 255 ? lines : 255)) ] || {
        echo "$program cannot list its tests (exit code $status)" >&2
        cat "$list" >&2
        return 1
    }
}

entries() {  # TAGS LABELS PROPERTY...
    local name spec
    list_names "$1"
    while IFS= read -r name; do
        [ -n "$name" ] || continue
        spec=$name
        case $name in
        '"#'*) ;; # Catch has quoted it already
        *)
            for special in '\' ',' '[' ']' '"'; do spec=${spec//"$special"/"\\$special"}; done
            ;;
        esac
        printf 'add_test([==[%s: %s]==] [==[%s]==] [==[%s]==] --warn NoTests)\n' "$label" "$name" "$program" "$spec"
        printf 'set_tests_properties([==[%s: %s]==] PROPERTIES LABELS "%s" %s)\n' \
            "$label" "$name" "$2" "${*:3}"
    done <"$list"
}

# The time-outs are for a busy machine with a sanitizer. Long tests start first (COST), so that they do not run alone at
# the end. Tests that measure time run without other tests ([alone]).
quick=600
[ "$label" != stress ] || quick=900
{
    entries '~[slow]~[alone]~[.]' "$label" TIMEOUT $quick
    entries '[slow]~[alone]~[.]' "$label;slow" TIMEOUT 1800 COST 100
    entries '[slow][alone]~[.]' "$label;slow" TIMEOUT 1800 RUN_SERIAL TRUE
    entries '~[slow][alone]~[.]' "$label" TIMEOUT $quick RUN_SERIAL TRUE
} >"$output.new"
mv "$output.new" "$output"
