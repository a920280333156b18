#!/usr/bin/env bash
# examples/quickstart.sh [--files DIR] [--workers N] [--dsn CONNECTION-STRING]: runs the quickstart on a plain Debian.
#
#   --files DIR    count the words of the files below DIR (default: /usr/share/doc, and /usr/include if that is small)
#   --workers N    start N worker processes (default: one per core, at least two)
#   --dsn STRING   use this database (default: PGQ_DSN; if that is not set, a temporary PostgreSQL)
#
# Installs missing packages, builds examples/quickstart.cpp and runs it.
set -euo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/scripts/pg.sh

usage() { sed -n '2,/^set/s/^# \{0,1\}//p' examples/quickstart.sh; }

arguments=()
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help)
        usage
        exit 0
        ;;
    --files | --workers | --dsn)
        [ $# -gt 1 ] || {
            usage >&2
            exit 2
        }
        case $1 in
        --files) arguments+=(--files "$(cd "$called_from" && realpath -m -- "$2")") ;;
        --workers) arguments+=(--workers "$2") ;;
        --dsn) export PGQ_DSN=$2 ;;
        esac
        shift 2
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
done

build() {
    cmake -S . -B build/quickstart -G Ninja -DCMAKE_BUILD_TYPE=Release \
        -DPGQ_BUILD_TESTS=OFF -DPGQ_BUILD_EXAMPLES=ON &&
        cmake --build build/quickstart --target example_quickstart
}

# Two runs in one checkout build one after the other.
build_locked() {
    local lock log
    mkdir -p build
    exec {lock}>build/quickstart.lock
    pgq_run flock "$lock"
    log=build/quickstart.log
    echo "building (the first time it takes about a minute)"
    pgq_run build >"$log" 2>&1 || {
        cat "$log" >&2
        return 1
    }
    flock -u "$lock"
    exec {lock}>&-
}

pgq_on_exit
packages=(cmake ninja-build g++ util-linux libpq-dev libasio-dev
    'libboost1.81-dev|libboost1.83-dev|libboost1.88-dev'
    'libboost-json1.81-dev|libboost-json1.83-dev|libboost-json1.88-dev')
[ -n "${PGQ_DSN-}" ] || packages+=(postgresql)
pgq_need "${packages[@]}"
build_locked
pgq_start_postgres
pgq_run build/quickstart/examples/quickstart ${arguments[@]+"${arguments[@]}"}
