#!/usr/bin/env bash
# check.sh fail|pass gcc|clang COMPILER FILE FLAG...
#
# fail: FILE must not compile, with exactly one error, and that one must match the REGEX in its first line
#       (`// expect: REGEX`, extended, as in grep -E). The lines behind it may ask for more:
#       `// within: N lines`: the compiler prints at most N lines.
#       `// precompiled: nothing`: it is compiled without the precompiled header.
#       `// flags: FLAG...`: it is compiled with these flags, too, and without the precompiled header.
#       `// only: gcc|clang`: only this compiler notices it.
# pass: FILE must compile.
set -euo pipefail
export LC_ALL=C

kind=$1 brand=$2 compiler=$3 file=$4
shift 4

. "$(dirname "${BASH_SOURCE[0]}")/flags.sh"
fixture_flags "$brand"

IFS= read -r first <"$file" || true
# The value of `// NAME: VALUE` in the lines behind the first one; empty without such a line.
demand() { sed -n "2,5s|^// $1: ||p" "$file"; }
only=$(demand only) most=$(demand within) precompiled=$(demand precompiled)
read -ra own <<<"$(demand flags)" || true
[ "$kind" = pass ] || [ -z "$only" ] || [ "$only" = "$brand" ] || exit 0

# PGQ_PRECOMPILED names a precompiled header. Without it the fixtures take three times as long.
if [ -f "${PGQ_PRECOMPILED-}.gch" ] && [ "$precompiled" != nothing ] && [ ${#own[@]} = 0 ]; then
    case $brand in
    gcc) flags+=(-include "$PGQ_PRECOMPILED") ;;
    clang) flags+=(-include-pch "$PGQ_PRECOMPILED.gch") ;;
    esac
fi

if output=$("$compiler" "$@" "${flags[@]}" "${own[@]}" -fsyntax-only "$file" 2>&1); then compiled=yes; else compiled=no; fi

fail() {
    printf '%s: %s\n%s\n' "$file" "$1" "$output"
    exit 1
}

if [ "$kind" = pass ]; then
    [ $compiled = yes ] || fail "does not compile"
    exit 0
fi

case ${first-} in
'// expect: '?*) expected=${first#// expect: } ;;
*) fail "the first line must be '// expect: REGEX'" ;;
esac

[ $compiled = no ] || fail "compiles"
# A fatal error behind another one only ends the compilation.
errors=$(grep -E '(^|: )error: ' <<<"$output" || grep 'fatal error: ' <<<"$output") ||
    fail "the compiler failed without an error"
[ "$(wc -l <<<"$errors")" = 1 ] || fail "$(wc -l <<<"$errors") errors instead of one that matches: $expected"
grep -Eq -- "$expected" <<<"${errors#*error: }" || fail "the error does not match: $expected"

[ -z "$most" ] || [ "$(wc -l <<<"$output")" -le "${most% lines}" ] ||
    fail "$(wc -l <<<"$output") lines of output, more than ${most% lines}"
