#!/usr/bin/env bash
# Runs the port of vcpkg with short functions in place of vcpkg's (see vcpkg_stub.cmake). Then a project outside of the
# tree builds with the package and runs a job, with the commands of docs/start/install.md.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake "-DROOT=$root" "-DWORK=$work/stub" -P "$here/vcpkg_stub.cmake"

outside=$work/outside
cp -r "$root/packaging/consumer" "$outside"
overlay=$(sed -n 's/^ *"\(.*\/ports\)"$/\1/p' "$outside/vcpkg-configuration.json")
[ -e "$root/packaging/consumer/$overlay/pgq/portfile.cmake" ] || {
    echo "vcpkg-configuration.json names no folder with the port: $overlay"
    exit 1
}

for text in '"dependencies": ["pgq"]' packaging/vcpkg/ports; do
    grep -qF "\`$text\`" "$root/README.md" || {
        echo "README.md has no $text"
        exit 1
    }
done
tr -d ' \n' <"$outside/vcpkg.json" | grep -qF '"dependencies":["pgq"]'

# The commands of docs/start/install.md, with a toolchain file in place of vcpkg's.
export VCPKG_ROOT=$work/vcpkg CMAKE_GENERATOR=Ninja CXXFLAGS="-Wall -Wextra -Werror"
if command -v clang++ >/dev/null; then export CXX=clang++; fi
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$work; fi
mkdir -p "$VCPKG_ROOT/scripts/buildsystems"
echo "list(APPEND CMAKE_PREFIX_PATH \"$work/stub/packages\")" >"$VCPKG_ROOT/scripts/buildsystems/vcpkg.cmake"
cd "$outside"
bash -e "$root/tests/packaging/projects/vcpkg.sh" >"$work/consumer.log" 2>&1 || {
    cat "$work/consumer.log"
    exit 1
}
[ "$(build/consumer)" = "hello, Ada" ]
echo "a project outside of the tree runs a job with it"
