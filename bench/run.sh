#!/usr/bin/env bash
# bench/run.sh [--quick] [--json FILE] [QUESTION...]: how fast pgq is on this machine, next to the same statements by
# bare libpq.
#
#   --quick      runs the first questions with fewer jobs and rounds: two minutes, plus the build
#   --json FILE  also writes the numbers to FILE, one JSON object per line
#   QUESTION     runs only these questions; each file in bench/questions/ has one
#
# The script starts a temporary PostgreSQL with durable settings, prints the settings and deletes the server afterwards.
# If PGQ_DSN is set, the script uses that server instead; no other program should use it meanwhile.
set -euo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/scripts/pg.sh

arguments=()
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h)
        sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    --json)
        [ $# -ge 2 ] || { echo "bench/run.sh: --json needs a file" >&2; exit 2; }
        case $2 in /*) json=$2 ;; *) json=$called_from/$2 ;; esac
        : >"$json"
        arguments+=(--json "$json")
        shift
        ;;
    *) arguments+=("$1") ;;
    esac
    shift
done

PGQ_PG_SETTINGS="shared_buffers = 1GB
max_wal_size = 8GB
checkpoint_timeout = 30min
max_connections = 300
synchronous_commit = on
full_page_writes = on
shared_preload_libraries = 'pg_stat_statements'
pg_stat_statements.track_utility = off"

pgq_on_exit
pgq_need cmake ninja-build ccache g++ util-linux libpq-dev libasio-dev \
    'libboost1.81-dev|libboost1.83-dev|libboost1.88-dev' \
    'libboost-json1.81-dev|libboost-json1.83-dev|libboost-json1.88-dev' postgresql
mkdir -p build
echo "building (optimized)"
pgq_run cmake --preset release -DPGQ_BUILD_TESTS=OFF -DPGQ_BUILD_BENCH=ON >build/release.configure.log 2>&1 || {
    cat build/release.configure.log
    exit 1
}
pgq_run cmake --build --preset release --target bench_pgq_bench >build/release.build.log 2>&1 || {
    cat build/release.build.log
    exit 1
}
pgq_start_postgres
if [[ " ${arguments[*]-} " == *" pooler "* ]]; then
    pgq_need pgbouncer
    pgq_start_pooler
fi
echo "$("$(_pgq_find_pg)/postgres" --version), $(nproc) cores: $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
[ -z "${_pgq_pg_dir}" ] || { echo "settings: fsync = on"; printf '%s\n' "$PGQ_PG_SETTINGS" | paste -sd, - | sed 's/,/, /g'; }
pgq_run build/release/bench/pgq_bench ${arguments[@]+"${arguments[@]}"}
