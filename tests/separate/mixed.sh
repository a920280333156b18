#!/usr/bin/env bash
# mixed.sh COMPILER: a program does not link if one of its files is header-only and the others are not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
compiler=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compile() {  # FILE CODE [ARGUMENT...]
    "$compiler" -std=c++20 -Iinclude "-I$(pg_config --includedir)" "${@:3}" -x c++ -c -o "$work/$1.o" - <<<"$2"
}
compile src '#include <pgq/src.hpp>' -DPGQ_SEPARATE_COMPILATION
compile main $'#include <pgq/driver/libpq.hpp>\nint main() { return pgq::driver::libpq{}.install().has_value(); }' \
    -DPGQ_SEPARATE_COMPILATION
compile other $'#include <pgq/driver/libpq.hpp>\nint other() { return pgq::driver::libpq{}.install().has_value(); }'
"$compiler" "$work/main.o" "$work/src.o" -o "$work/program" -lpq -pthread

said=$("$compiler" "$work/main.o" "$work/src.o" "$work/other.o" -o "$work/program" -lpq -pthread 2>&1) &&
    { echo "this must not link"; exit 1; }
case $said in
*pgq_header_only_and_separate_files_are_mixed*) ;;
*) echo "the linker does not say why: $said"; exit 1 ;;
esac
