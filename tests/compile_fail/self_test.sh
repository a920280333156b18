#!/usr/bin/env bash
# self_test.sh gcc|clang COMPILER: tests what check.sh accepts and what it reports.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
brand=$1 compiler=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

try() {  # passes|fails fail|pass WHAT LINE...
    local wanted=$1 kind=$2 what=$3 got=passes
    printf '%s\n' "${@:4}" >"$scratch/fixture.cpp"
    "$BASH" "$here/check.sh" "$kind" "$brand" "$compiler" "$scratch/fixture.cpp" -std=c++20 >"$scratch/output" || got=fails
    [ $got = "$wanted" ] || { echo "$what: $got"; cat "$scratch/output"; failed=1; }
}

try passes fail "the error it expects" '// expect: pgq: no .*job' 'static_assert(sizeof(int) == 1, "pgq: no such job");'
try fails fail "another error" '// expect: pgq: no such job' 'static_assert(sizeof(int) == 1, "pgq: no handler");'
try fails fail "the words only in the source line" '// expect: pgq: no such job' 'int x = y; // pgq: no such job'
try fails fail "no error" '// expect: pgq' 'static_assert(true, "pgq");'
try fails fail "two errors" '// expect: pgq' 'static_assert(sizeof(int) == 1, "pgq");' 'static_assert(sizeof(int) == 2, "pgq");'
try fails fail "nothing expected" 'static_assert(sizeof(int) == 1, "pgq");'
try fails fail "an empty expectation" '// expect: ' 'static_assert(sizeof(int) == 1, "pgq");'
try passes pass "good code" 'int main() {}'
try fails pass "bad code" 'int main() { return x; }'
exit $failed
