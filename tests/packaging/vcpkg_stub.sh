#!/usr/bin/env bash
# vcpkg_stub.sh ROOT WORK: runs the port of vcpkg with short functions in place of vcpkg's (see vcpkg_stub.cmake). Then a
# project outside of ROOT builds with the package, and runs a job. WORK is a folder for the results.
set -euo pipefail
root=$1 work=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

mkdir -p "$work"
cmake "-DROOT=$root" "-DWORK=$work/stub" -P "$here/vcpkg_stub.cmake"

outside=$(mktemp -d)
trap 'rm -rf "$outside"' EXIT
cp -r "$root/packaging/consumer/." "$outside"
cmake -S "$outside" -B "$outside/build" -G Ninja "-DCMAKE_PREFIX_PATH=$work/stub/packages" \
    -DCMAKE_CXX_FLAGS="-Wall -Wextra -Werror" >"$work/consumer.log"
cmake --build "$outside/build" >>"$work/consumer.log" || { cat "$work/consumer.log"; exit 1; }
[ "$("$outside/build/consumer")" = "hello, Ada" ]
echo "a project outside of the tree runs a job with it"
