#!/usr/bin/env bash
# `conan create` of the recipe with its test_package, with the stand-ins of packaging/conan in place of ConanCenter. Then
# a project outside of the tree installs the package and runs a job, with the commands of docs/start/install.md.
#
# Conan comes from PyPI, into a virtual environment in build/packaging/conan, where the logs are too. Exit status 77: it
# cannot be had.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$root/build/packaging/conan
mkdir -p "$work"
exec 9>"$work/lock"
flock 9
conan_version=2.34.0

skip() {
    echo "left out: the recipe of Conan, because $*"
    exit 77
}
if ! "$work/venv/bin/conan" --version >/dev/null 2>&1; then
    rm -rf "$work/venv"
    python3 -m venv "$work/venv" >"$work/pip.log" 2>&1 || skip "python3 has no venv (Debian: python3-venv)"
    "$work/venv/bin/pip" install "conan==$conan_version" >>"$work/pip.log" 2>&1 ||
        skip "PyPI did not give conan $conan_version (see $work/pip.log)"
fi
PATH=$work/venv/bin:$PATH
export CONAN_HOME=$work/home CMAKE_GENERATOR=Ninja
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
# Clang takes half of GCC's time.
if command -v clang++ >/dev/null; then export CC=clang CXX=clang++; fi

logged() {  # NAME COMMAND...: prints the output only if the command fails
    local log=$work/$1.log
    "${@:2}" >"$log" 2>&1 || {
        cat "$log"
        echo "failed: ${*:2}"
        exit 1
    }
}
fail() {
    echo "$*"
    exit 1
}

# The remote has only the recipes of the libraries named, so the package cannot ask for another one.
home() {  # RECIPE...
    rm -rf "$CONAN_HOME" "$work/remote"
    mkdir -p "$work/remote/recipes"
    for recipe in "$@"; do cp -r "$root/packaging/conan/stand_ins/recipes/$recipe" "$work/remote/recipes/"; done
    logged profile conan profile detect
    cat >"$CONAN_HOME/global.conf" <<CONF
tools.cmake.cmake_layout:test_folder=$work/test_package
tools.cmake.cmaketoolchain:extra_variables={"CMAKE_CXX_FLAGS_RELEASE": "-O0"}
CONF
    conan remote remove '*' >/dev/null 2>&1
    conan remote add stand-ins "$work/remote" --type local-recipes-index >/dev/null 2>&1
}

requires() {  # OPTION...: the names of the packages that pgq requires with these options, in one line
    local arguments=()
    for option in "$@"; do arguments+=(-o "pgq/*:$option"); done
    conan graph info "$root" -s compiler.cppstd=20 "${arguments[@]}" --format=json 2>"$work/graph.log" | python3 -c '
import json, sys
nodes = json.load(sys.stdin)["graph"]["nodes"]
names = [d["ref"].split("/")[0] for d in nodes["0"]["dependencies"].values() if d["direct"]]
print(*sorted(names))'
}

# ---- what an option brings -------------------------------------------------------------------------------------------

all=(libpq asio boost_json nlohmann_json libsodium zstd date prometheus_cpp cli11 catch2)
none=()
for name in "${all[@]}"; do none+=("with_$name=False"); done
without() { printf '%s\n' "${none[@]}" | grep -vF "with_$1="; }  # OPTION: all others are off

home libpq asio boost nlohmann_json libsodium zstd date prometheus-cpp cli11 catch2
expect() {  # PACKAGES OPTION...
    local found
    found=$(requires "${@:2}")
    [ "$found" = "$1" ] || fail "with ${*:2} pgq requires: $found; expected: $1"
}
expect 'boost libpq'
expect 'boost' "${none[@]}"
for name in libpq nlohmann_json libsodium zstd date catch2; do
    mapfile -t others < <(without "$name")
    expect "$(printf '%s\n' boost "$name" | sort | paste -sd ' ')" "${others[@]}" "with_$name=True"
done
mapfile -t others < <(without prometheus_cpp)
expect 'boost prometheus-cpp' "${others[@]}" with_prometheus_cpp=True
expect 'boost cli11 libpq' with_cli11=True
mapfile -t others < <(without boost_json)
expect 'boost' "${others[@]}" with_boost_json=True

refused() {  # SENTENCE ARGUMENT...: conan create fails with the sentence
    if conan create "$root" -s compiler.cppstd=20 --build=missing "${@:2}" >"$work/refused.log" 2>&1; then fail "not refused: ${*:2}"; fi
    grep -qF -- "$1" "$work/refused.log" || {
        cat "$work/refused.log"
        fail "the message lacks: $1"
    }
}
refused 'with_asio=True needs with_libpq=True' -o '&:with_asio=True' -o '&:with_libpq=False'
refused 'with_cli11=True needs with_libpq=True and with_boost_json=True' -o '&:with_cli11=True' -o '&:with_boost_json=False'
refused 'with_boost_json=True needs boost/*:header_only=False' -o 'boost/*:header_only=True'
for option in header_only=True tz_db=download; do
    refused 'with_date=True needs date/*:header_only=False and date/*:tz_db=system' -o '&:with_date=True' -o "date/*:$option"
done
refused 'pgq does not compile on Windows' -s os=Windows
refused 'C++ standard' -s compiler.cppstd=17
refused 'tools.build:skip_test=False needs with_asio=True, with_catch2=True' -c tools.build:skip_test=False
echo "conan $conan_version: each option brings its own library alone"

# The command of the docs and of the README, with more arguments.
grep -qF "\`$(cat "$root/tests/packaging/projects/conan_create.sh")\`" "$root/README.md" || fail "README.md has another command"
create() {  # ARGUMENT...
    local command
    read -ra command <"$root/tests/packaging/projects/conan_create.sh"
    (cd "$root" && "${command[@]}" "$@")
}

# ---- conan create ----------------------------------------------------------------------------------------------------

version=$(conan inspect "$root" --format=json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["version"])')
grep -qF "#define PGQ_VERSION \"$version\"" "$root/include/pgq/version.hpp" || fail "the recipe has version $version"

linked() {  # PROGRAM LIBRARY: whether the program is linked with it
    readelf -d "$1" | grep -q "NEEDED.*\[lib$2\.so"
}
program() { find "$work/test_package" -name "$1" -type f -perm -u+x; }

# One component, without a recipe for the libraries of the others.
home boost zstd
rm -rf "$work/test_package"
one=()
for option in "${none[@]/with_zstd=False/with_zstd=True}"; do one+=(-o "&:$option"); done
logged create_one create "${one[@]}"
linked "$(program test_package)" zstd || fail "pgq::zstd does not link Zstandard"
for library in pq boost_json sodium date-tz prometheus-cpp-core; do
    ! linked "$(program test_package)" $library || fail "pgq::zstd is linked with $library"
done
echo "conan create: one component alone"

home libpq asio boost nlohmann_json libsodium zstd date prometheus-cpp cli11 catch2
rm -rf "$work/test_package"
every=()
for option in "${none[@]/False/True}"; do every+=(-o "&:$option"); done
logged create_all create "${every[@]}" -c tools.build:skip_test=False
linked "$(program test_package)" date-tz || fail "pgq::timezones does not link date"
grep -q '100% tests passed' "$work/create_all.log" || fail "conan create does not run the test of the headers"
echo "conan create: all components, and the test of the headers"

package=$(conan cache path "$(conan list 'pgq/*:*' --format=json 2>/dev/null | python3 -c '
import json, sys
(cache,) = json.load(sys.stdin).values()
((ref, recipe),) = cache.items()
((revision, body),) = recipe["revisions"].items()
(package,) = body["packages"]
print(f"{ref}#{revision}:{package}")')")
cmp "$root/LICENSE" "$package/licenses/LICENSE"
for folder in include:include sql:share/pgq/sql; do
    diff <(cd "$root/${folder%:*}" && find . -type f | sort) <(cd "$package/${folder#*:}" && find . -type f | sort)
done

# ---- a project outside of the tree -----------------------------------------------------------------------------------

outside=$(mktemp -d)
trap 'rm -rf "$outside"' EXIT
export CCACHE_BASEDIR=$outside
cp -r "$root/packaging/consumer/." "$outside"
cd "$outside"
logged consumer env CXXFLAGS="-Wall -Wextra -Werror" bash -e "$root/tests/packaging/projects/conan_install.sh"
[ "$(build/consumer)" = "hello, Ada" ] || fail "the consumer does not run a job"
echo "a project outside of the tree runs a job with it"
