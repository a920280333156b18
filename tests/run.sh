#!/usr/bin/env bash
# tests/run.sh [--fast]: builds and runs all tests on a plain Debian.
#
#   --fast   with Clang, and a few programs with GCC; without the slow tests, the stress tests and most examples
#
# PGQ_DSN names a database; if it is not set, the script starts a temporary PostgreSQL. PGQ_JOBS: how many compilers to
# run at a time (default: one per core).
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

# locked NAME COMMAND...: runs COMMAND while no other run in this checkout uses build/NAME.
locked() {
    local name=$1
    mkdir -p build
    exec {lock}>"build/$name.lock"
    if ! flock -n "$lock"; then
        echo "another run is using build/$name: waiting for it"
        pgq_run flock "$lock"
    fi
    local passed=yes
    "${@:2}" || passed=no
    flock -u "$lock" # a process that a test left running would keep the lock after the close
    exec {lock}>&-
    [ $passed = yes ]
}

build() {  # PRESET [TARGET...]
    step "$1: build ${*:2}"
    pgq_run cmake --preset "$1" >"build/$1.configure.log" 2>&1 || {
        cat "build/$1.configure.log"
        return 1
    }
    pgq_run cmake --build --preset "$1" -j "$jobs" ${2:+--target "${@:2}"}
}

# Runs two tests per core, because most tests wait for a server most of the time.
check() {  # PRESET CTEST-ARGUMENT...
    step "$1: ctest ${*:2}"
    pgq_run ${PGQ_PERSONALITY-} ctest --preset "$1" -j $((2 * jobs)) "${@:2}"
}

# The thread sanitizer of these compilers fails if an address has more than 28 random bits.
tsan_personality() {
    local bits
    bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28)
    [ "$bits" -le 28 ] || echo "setarch $(uname -m) -R"
}

# Clang compiles most: it takes half of GCC's time, and a quarter for a fixture. GCC compiles all headers in both orders
# (test_odr), and the first examples of the README with all that a worker instantiates.
gcc_tests='^(odr|compile_fail\.harness\.gcc|examples\.(first|mail|quickstart))$'

gcc_fast() {
    build gcc test_odr example_first example_quickstart example_producer example_consumer &&
        check gcc -R "$gcc_tests"
}

clang_fast() {
    build clang fixture_headers_clang test_unit test_laws test_integration test_simulation test_separate pgq_command test_web \
        example_service &&
        check clang -LE 'slow|stress|example' -E "\.gcc\.|$gcc_tests"
}

# Clang compiles these builds, so its warnings and differences show here. The one with the address sanitizer is the run
# of the integration tests with usual settings. The one with the thread sanitizer has only those unit tests that may
# start a thread. Tests of the tree and its pages are in gcc_all.
sanitized() {  # PRESET TESTS TARGET...
    build "$1" "${@:3}" &&
        check "$1" -R "$2" -LE 'slow|stress'
}

catch_tests='^(unit|laws|integration): '

address_sanitized() { sanitized asan "$catch_tests|^odr\$" test_unit test_laws test_integration test_odr; }

thread_sanitized() {
    local PGQ_PERSONALITY
    PGQ_PERSONALITY=$(tsan_personality)
    sanitized tsan "$catch_tests" test_unit test_laws test_integration
}

# What takes many minutes: on a server all integration tests in three more modes, kills, and the plans; in simulated time
# a million schedules.
long_tests() {
    build clang test_integration test_stress test_plans test_simulation &&
        check clang -L 'slow|stress|plans' -R '^(integration|stress|plans|simulation)'
}

# Twenty ways to make the library wrong, other ones each day. tests/mutate.sh alone tries all of them.
mutations() {
    step "mutations: twenty of them"
    pgq_run tests/mutate.sh --sample 20
}

# ctest hides the output of tests that pass; what they left out is said here.
gcc_all() {
    local passed=yes
    check gcc || passed=no
    { grep -hE '^left out: ' build/gcc/Testing/Temporary/LastTest.log || true; } | sort -u
    [ $passed = yes ]
}

# stage NAME COMMAND...: a failure ends the run only when all stages have run, so that one run shows all of them.
failed=()
stage() { locked "$@" || failed+=("$1: ${*:2}"); }

main() {
    pgq_on_exit
    step "packages and PostgreSQL"
    local full_only=()
    [ $fast = yes ] || full_only=('clang-tidy-14|clang-tidy' python3-venv pgbouncer chromium zsh fish groff)
    pgq_need "${full_only[@]}" cmake ninja-build ccache g++ util-linux libpq-dev libasio-dev \
        'libboost1.81-dev|libboost1.83-dev|libboost1.88-dev' \
        'libboost-json1.81-dev|libboost-json1.83-dev|libboost-json1.88-dev' \
        nlohmann-json3-dev libsodium-dev libzstd-dev libhowardhinnant-date-dev prometheus-cpp-dev libcli11-dev libncurses-dev tmux tzdata libpqxx-dev catch2 'pkg-config|pkgconf' postgresql clang 'libclang-rt-14-dev|libclang-rt-dev' 'clang-format-14|clang-format'
    pgq_start_postgres
    [ -z "${PGQ_CI-}" ] || versions

    if [ $fast = yes ]; then
        stage gcc gcc_fast
        # This runs last, so that the output ends with the summary of most tests.
        stage clang clang_fast
    else
        stage gcc build gcc
        stage asan address_sanitized
        stage tsan thread_sanitized
        stage clang long_tests
        stage mutation mutations
        stage gcc gcc_all
    fi
    [ ${#failed[@]} -gt 0 ] || return 0
    step "failed: $(printf '%s; ' "${failed[@]}")"
    return 1
}

# Prints the versions that a reader of a CI log needs.
versions() {
    local tool
    for tool in g++ clang++ cmake "$(_pgq_find_pg)/postgres"; do "$tool" --version | sed -n 1p; done
    uname -a
    nproc
}

main
