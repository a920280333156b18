#!/usr/bin/env bash
# check.sh fail|pass gcc|clang COMPILER FILE FLAG...
#
# fail: FILE must not compile, with exactly one error, and that one must match the REGEX in its first line
#       (`// expect: REGEX`, extended, as in grep -E).
# pass: FILE must compile.
set -euo pipefail
export LC_ALL=C

kind=$1 brand=$2 compiler=$3 file=$4
shift 4

# Source lines in the output would be searched for errors too.
case $brand in
gcc) quiet=(-fdiagnostics-color=never -fno-diagnostics-show-caret) ;;
clang) quiet=(-fno-color-diagnostics -fno-caret-diagnostics -DASIO_HAS_CO_AWAIT=1 -DASIO_HAS_STD_COROUTINE=1) ;;
esac

if output=$("$compiler" "$@" "${quiet[@]}" -fsyntax-only "$file" 2>&1); then compiled=yes; else compiled=no; fi

fail() {
    printf '%s: %s\n%s\n' "$file" "$1" "$output"
    exit 1
}

if [ "$kind" = pass ]; then
    [ $compiled = yes ] || fail "does not compile"
    exit 0
fi

IFS= read -r first <"$file"
case $first in
'// expect: '?*) expected=${first#// expect: } ;;
*) fail "the first line must be '// expect: REGEX'" ;;
esac

[ $compiled = no ] || fail "compiles"
errors=$(grep -E '(^|: )(fatal )?error: ' <<<"$output") || fail "the compiler failed without an error"
[ "$(wc -l <<<"$errors")" = 1 ] || fail "$(wc -l <<<"$errors") errors instead of one that matches: $expected"
grep -Eq -- "$expected" <<<"${errors#*error: }" || fail "the error does not match: $expected"
