#!/usr/bin/env bash
# Everything that has to hold, on a machine that has nothing but Debian: tests/run.sh [--fast]
#
#   --fast   one build, one compiler; without the slow and stress tests and most examples
#
# PGQ_DSN names a database to use; without it a PostgreSQL is started and thrown away. PGQ_JOBS: how many at once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/scripts/pg.sh

fast=no
case ${1-} in
'') ;;
--fast) fast=yes ;;
*)
    sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 2
    ;;
esac

jobs=${PGQ_JOBS:-$(nproc)}
SECONDS=0

step() { printf '\n[%3dm%02ds] %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*"; }

# locked NAME COMMAND...: two runs in one checkout take turns at each build directory.
locked() {
    local name=$1
    mkdir -p build
    exec {lock}>"build/$name.lock"
    if ! flock -n "$lock"; then
        echo "another run is using build/$name: waiting for it"
        pgq_run flock "$lock"
    fi
    "${@:2}"
    flock -u "$lock" # closing alone would leave it with whatever a test has left running
    exec {lock}>&-
}

build() {  # PRESET [TARGET...]
    step "$1: build ${*:2}"
    pgq_run cmake --preset "$1" >"build/$1.configure.log" 2>&1 || {
        cat "build/$1.configure.log"
        return 1
    }
    pgq_run cmake --build --preset "$1" -j "$jobs" ${2:+--target "${@:2}"}
}

# Most tests wait for a server most of the time: twice as many at once as there are cores.
check() {  # PRESET CTEST-ARGUMENT...
    step "$1: ctest ${*:2}"
    pgq_run ${PGQ_PERSONALITY-} ctest --preset "$1" -j $((2 * jobs)) "${@:2}"
}

# The thread sanitizer of these compilers cannot live with more than 28 random bits in an address.
tsan_personality() {
    local bits
    bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28)
    [ "$bits" -le 28 ] || echo "setarch $(uname -m) -R"
}

# Each fixture with one compiler, and of the examples those that the README begins with: the others need minutes.
dev_fast() {
    build dev fixture_headers test_unit test_laws test_integration test_odr example_first example_quickstart example_producer example_consumer
    check dev -LE 'slow|stress|example' -E '\.clang\.'
}

# These builds are Clang's: what that compiler warns of, and what differs, comes out here.
sanitized() {  # PRESET
    build "$1" test_unit test_laws test_integration test_odr
    check "$1" -L '^(unit|laws|integration)$' -LE 'slow|stress'
}

thread_sanitized() {
    PGQ_PERSONALITY=$(tsan_personality)
    PGQ_PERSONALITY=$PGQ_PERSONALITY sanitized tsan
    PGQ_PERSONALITY=
}

each_header() { build dev all_verify_interface_header_sets; }

consumer() {  # NAME CMAKE-ARGUMENT...
    step "consumer: $1"
    rm -rf "build/consumer-$1"
    pgq_run cmake -S tests/consumer -B "build/consumer-$1" -G Ninja -DCMAKE_CXX_FLAGS="-Wall -Wextra -Werror" "${@:2}"
    pgq_run cmake --build "build/consumer-$1" -j "$jobs"
    pgq_run ctest --test-dir "build/consumer-$1" --output-on-failure --no-tests=error
}

installed() {
    local prefix=$PWD/build/install
    step "install"
    rm -rf "$prefix"
    pgq_run cmake --install build/dev --prefix "$prefix" >build/install.log
    consumer core -DCMAKE_PREFIX_PATH="$prefix" -DCONSUMER_COMPONENTS=
    consumer components -DCMAKE_PREFIX_PATH="$prefix" \
        "-DCONSUMER_COMPONENTS=libpq;asio;json;nlohmann;sodium;zstd;testing"
    consumer subdirectory "-DPGQ_SOURCE=$PWD"
}

dev_all() { check dev; }

main() {
    pgq_on_exit
    step "packages and PostgreSQL"
    pgq_need cmake ninja-build ccache g++ util-linux libpq-dev libasio-dev \
        'libboost1.81-dev|libboost1.83-dev|libboost1.88-dev' \
        'libboost-json1.81-dev|libboost-json1.83-dev|libboost-json1.88-dev' \
        nlohmann-json3-dev libsodium-dev libzstd-dev libpqxx-dev catch2 postgresql clang 'libclang-rt-14-dev|libclang-rt-dev' 'clang-format-14|clang-format'
    pgq_start_postgres
    [ -z "${PGQ_CI-}" ] || versions

    if [ $fast = yes ]; then
        locked dev dev_fast
        return
    fi
    locked dev build dev
    locked dev each_header
    locked dev installed
    locked asan sanitized asan
    locked tsan thread_sanitized
    # Last, because the last thing to be seen should be the sum of all tests.
    locked dev dev_all
}

# What a log needs to be understood elsewhere.
versions() {
    local tool
    for tool in g++ clang++ cmake "$(_pgq_find_pg)/postgres"; do "$tool" --version | sed -n 1p; done
    uname -a
    nproc
}

main
