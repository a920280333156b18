#!/usr/bin/env bash
# optimized.sh GCC INCLUDE-FLAG...: user programs compile without a warning at -O1, -O2 and -O3, too. GCC looks for
# uninitialized values and wrong uses of memory only when it optimizes. The headers of the library are no system headers
# here, as in a project that adds its source tree.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
compiler=$1
shift
flags=(-std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
failed=0

check() {  # LEVEL FILE
    "$compiler" "${flags[@]}" "-$1" "${@:3}" -c "$2" -o /dev/null || {
        echo "optimized.sh: $2 has warnings at -$1" >&2
        failed=1
    }
}

for level in O1 O2 O3; do check $level examples/first.cpp "$@"; done
for file in examples/{workflow,transaction_handlers}.cpp tests/compile_pass/{calls,transaction}.cpp; do
    check O3 "$file" "$@"
done
exit $failed
