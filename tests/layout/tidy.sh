#!/usr/bin/env bash
# tidy.sh: clang-tidy over every header, by .clang-tidy. 77 (skipped) without clang-tidy 14, because each version has
# other checks. One file that includes all headers costs a minute; a file for each header would cost an hour.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

tool=
for candidate in clang-tidy-14 clang-tidy; do
    if command -v $candidate >/dev/null && $candidate --version | grep -q 'version 14\.'; then
        tool=$candidate
        break
    fi
done
if [ -z "$tool" ]; then
    echo "clang-tidy 14 is not installed: skipped"
    exit 77
fi

all=$(mktemp --suffix=.cpp)
trap 'rm -f "$all"' EXIT
# A header whose library is missing is left out, as it is left out of the tests (cmake/pgq_dev.cmake).
left_out='^$'
without() {  # HEADER-OF-A-LIBRARY REGEX
    echo "#include <$1>" | g++ -x c++ -E - >/dev/null 2>&1 || left_out="$left_out|$2"
}
without nlohmann/json.hpp 'serializer/(nlohmann|msgpack)'
without sodium.h 'serializer/(encrypted|keys)'
without zstd.h 'serializer/compressed'
without date/tz.h 'timezones'
(cd include && find pgq -name '*.hpp' ! -path 'pgq/testing*' | LC_ALL=C sort) | grep -vE "$left_out" |
    sed 's/.*/#include <&>/' >"$all"

# Asio before 1.24 looks for <experimental/coroutine> with Clang, as in cmake/pgq_dev.cmake.
"$tool" --quiet --config-file=.clang-tidy "$all" -- -std=c++20 -Iinclude "-I$(pg_config --includedir)" \
    -DASIO_HAS_CO_AWAIT=1 -DASIO_HAS_STD_COROUTINE=1 -DUSE_OS_TZDB=1
