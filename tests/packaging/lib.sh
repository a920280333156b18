# Sourced by the scripts of this folder. Each script installs pgq by itself and builds projects outside of the repository,
# in a temporary directory. CXX and CMAKE may name other programs.
#
#   install_pgq PREFIX [CMAKE-ARGUMENT...]   installs pgq as on a machine without any library
#   configure NAME FOLDER [CMAKE-ARGUMENT...]  configures $work/FOLDER in $work/NAME
#   build NAME                               builds that
#   hide FOLDER COMPONENT...                 makes headers that cannot be included, of all libraries but those of the components
#   links_only PROGRAM [LIBRARY...]          checks the shared libraries of a program
#   run_program PROGRAM [ARGUMENT...]        runs it; it must end with 0
#   run_first PROGRAM                        runs the program examples/first.cpp, if there is a database
#   without [COMPONENT]                      prints arguments for CMake that hide the packages of all other components
#   has_library COMPONENT                    whether this machine has the library of a component
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
packaging=$root/tests/packaging
work=$(mktemp -d "${TMPDIR:-/tmp}/pgq_packaging.XXXXXX")
trap 'rm -rf "$work"' EXIT
export CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1  # the name of the directory differs each time
export CMAKE_EXPORT_COMPILE_COMMANDS=OFF
cxx=${CXX:-c++}
cmake=cmake
if [[ ${CMAKE-} == /* ]]; then PATH=$(dirname "$CMAKE"):$PATH; fi
if command -v ninja >/dev/null; then export CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}; fi
launcher=$(command -v ccache || true)
export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-$launcher}

components='libpq asio json nlohmann sodium zstd timezones prometheus cli testing'
# What CMake does not find when all libraries are hidden, except for Boost's headers and threads.
packages='PostgreSQL asio boost_json nlohmann_json libsodium unofficial-sodium sodium zstd date prometheus-cpp CLI11 Catch2'

version=$(sed -n 's/^#define PGQ_VERSION "\(.*\)"/\1/p' "$root/include/pgq/version.hpp")

fail() {
    echo "$*" >&2
    exit 1
}
left_out() { echo "left out: $*"; }

quietly() {  # NAME COMMAND...: prints the output only if the command fails
    local log=$work/$1.log
    "${@:2}" >"$log" 2>&1 </dev/null || {
        cat "$log"
        return 1
    }
}

install_pgq() {
    local hidden=() package
    for package in Boost Threads $packages; do hidden+=("-DCMAKE_DISABLE_FIND_PACKAGE_$package=ON"); done
    rm -rf "$work/pgq-build"
    quietly pgq-configure "$cmake" -S "$root" -B "$work/pgq-build" "-DCMAKE_CXX_COMPILER=$cxx" -DPGQ_BUILD_TESTS=OFF \
        "${hidden[@]}" "${@:2}"
    quietly pgq-install "$cmake" --install "$work/pgq-build" --prefix "$1"
}

configure() {
    quietly "$1-configure" "$cmake" -S "$work/$2" -B "$work/$1" "-DCMAKE_CXX_COMPILER=$cxx" \
        "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror" "${@:3}"
}
build() { quietly "$1-build" "$cmake" --build "$work/$1" -j 2; }  # ctest counts two processors

headers_of() {  # COMPONENT: the headers of its library that pgq includes
    local pattern
    case $1 in
    libpq) pattern='libpq-fe\.h' ;;
    asio) pattern='asio/[^>]+' ;;
    json) pattern='boost/json[^>]*' ;;
    nlohmann) pattern='nlohmann/[^>]+' ;;
    sodium) pattern='sodium\.h' ;;
    zstd) pattern='zstd\.h' ;;
    timezones) pattern='date/[^>]+' ;;
    prometheus) pattern='prometheus/[^>]+' ;;
    cli) pattern='CLI/[^>]+' ;;
    testing) pattern='catch2/[^>]+' ;;
    esac
    grep -rhoE "^ *#include <($pattern)>" "$root/include" | sed 's/.*<//; s/>//' | sort -u
}

hide() {
    local component header
    mkdir -p "$1"
    for component in $components; do
        [[ " ${*:2} " != *" $component "* ]] || continue
        [[ $component != libpq || " ${*:2} " != *" asio "* ]] || continue
        [[ $component != @(libpq|json) || " ${*:2} " != *" cli "* ]] || continue
        for header in $(headers_of "$component"); do
            mkdir -p "$1/$(dirname "$header")"
            echo "#error \"<$header> is included without pgq::$component\"" >"$1/$header"
        done
    done
}

links_only() {
    local needed library
    needed=$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[lib\([a-z_0-9-]*\).*/\1/p' | grep -E '^(pq|boost|sodium|zstd|date|prometheus)' || true)
    for library in $needed; do
        [[ " ${*:2} " == *" $library "* ]] || fail "$1 links lib$library"
    done
    for library in "${@:2}"; do
        # Boost.JSON brings it. Whether a program that calls nothing of it names it is up to the linker.
        [ "$library" != boost_container ] || continue
        grep -qx "$library" <<<"$needed" || fail "$1 does not link lib$library"
    done
}

libraries_of() {  # COMPONENT: the shared libraries that its programs link
    case $1 in
    libpq | asio) echo pq ;;
    json) echo 'boost_json boost_container' ;;
    sodium | zstd) echo "$1" ;;
    timezones) echo date-tz ;;
    prometheus) echo prometheus-cpp-core ;;
    cli) echo 'pq boost_json boost_container' ;;
    esac
}

has_library() {
    local header includes=()
    header=$(headers_of "$1" | sed -n 1p)
    if command -v pg_config >/dev/null; then includes+=("-I$(pg_config --includedir)"); fi
    echo "#include <$header>" | "$cxx" -std=c++20 ${includes[@]+"${includes[@]}"} -x c++ -E - >/dev/null 2>&1
}

run_program() {
    "$@" || fail "$1 ended with $?"
}

run_first() {
    if [ -z "${PGQ_DSN-}" ]; then
        left_out "the jobs of $1: PGQ_DSN is not set"
        return
    fi
    [ "$("$1" "$PGQ_DSN")" = $'hello, Edsger\nhello, Ada\nhello, Grace' ] || fail "$1 does not run its jobs"
}

packages_of() {  # COMPONENT: the CMake packages of its library
    case $1 in
    libpq) echo PostgreSQL ;;
    asio) echo 'PostgreSQL asio' ;;
    json) echo boost_json ;;
    nlohmann) echo nlohmann_json ;;
    sodium) echo 'libsodium unofficial-sodium sodium' ;;
    zstd) echo zstd ;;
    timezones) echo date ;;
    prometheus) echo prometheus-cpp ;;
    cli) echo 'PostgreSQL boost_json CLI11' ;;
    testing) echo Catch2 ;;
    esac
}

without() {
    local package kept
    kept=" $(packages_of "${1-}") "
    for package in $packages; do
        [[ $kept == *" $package "* ]] || echo "-DCMAKE_DISABLE_FIND_PACKAGE_$package=ON"
    done
}

pc_of() {  # COMPONENT: the .pc file of its library, if there is one
    case $1 in
    libpq | asio | cli) echo libpq ;;
    nlohmann) echo nlohmann_json ;;
    sodium) echo libsodium ;;
    zstd) echo libzstd ;;
    prometheus) echo prometheus-cpp-core ;;
    testing) echo catch2 ;;
    esac
}
