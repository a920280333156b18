#!/usr/bin/env bash
# bench/peers/run.sh [--quick] [--json FILE] [--only NAME,...]: compares pgq with other job queues for PostgreSQL on
# this machine.
#
#   --quick      runs a tenth of the jobs and two rounds instead of three: three minutes, plus the installation
#   --json FILE  also writes the numbers to FILE, one JSON object per line
#   --only NAME  runs only some of: pgq, pgqueuer, pgjobq, pq, procrastinate, graphile-worker, pg-boss, river, pgmq,
#                skytools
#
# Each system enqueues jobs one at a time and in batches of 1000. Then it drains jobs that were enqueued before. A drain
# ends when all completions are committed. If the queue is not empty then, or a job did not run exactly once, the run
# has no result. Each system runs with its defaults and with the best settings that are published or known; the programs
# name the settings. All systems use one PostgreSQL, in turn.
#
# The script installs the peers from PyPI, npm, the Go module proxy and Cargo's registry into build/peers. SkyTools'
# PgQ, an extension of the server, comes from Debian. If a peer cannot be installed, the script leaves it out and prints
# why. pgq runs if build/release/bench/pgq_bench is built.
#
# The script starts a temporary PostgreSQL with durable settings and deletes it afterwards. If PGQ_DSN is set, the
# script uses that server instead, in a database pgq_bench_peers. PGQ_DSN must name a superuser; PGPASSWORD has the
# password, if any.
set -euo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tools/scripts/pg.sh

# ---- what is measured ------------------------------------------------------------------------------------------------

# Name, setting, and how many jobs to enqueue one at a time, to enqueue in batches, and to drain. Each measurement takes
# some seconds on two cores.
plan="
pgqueuer        defaults 3000 150000  10000
pgqueuer        best     3000 150000  40000
pgjobq          defaults 2000 100000   1000
pgjobq          best     2000 100000   5000
pq              defaults 3000  15000   3000
pq              best     6000  15000   5000
procrastinate   defaults 2000  30000   1000
procrastinate   best     2000  30000   2000
graphile_worker defaults 3000 150000   3000
graphile_worker single   3000 150000  60000
graphile_worker best     3000 150000 100000
pg_boss         defaults 3000 150000      3
pg_boss         best     3000 150000  60000
river           defaults 3000 150000   3000
river           best     3000 150000  50000
pgmq            defaults 3000 150000   2000
pgmq            best     3000 150000  80000
skytools        defaults 3000  50000 150000
skytools        best     3000  50000 150000"

pgqueuer_pins=(pgqueuer==1.6.0 asyncpg==0.32.0 uvloop==0.23.0)
pgjobq_pins=(pgjobq==0.10.0 asyncpg==0.26.0)
pq_pins=(pq==1.9.1 psycopg2-binary==2.9.13)
procrastinate_pins=(procrastinate==3.10.0 'psycopg[binary,pool]==3.3.9')
psycopg_pins=('psycopg[binary]==3.3.9') # for the peers that are SQL functions
pgmq_crate=0.33.5                       # the crate contains the SQL of pgmq; nothing is compiled
# package.json pins the Node peers, river/go.mod pins River.

settings="shared_buffers = 1GB
max_wal_size = 8GB
checkpoint_timeout = 30min
synchronous_commit = on
full_page_writes = on"

# ---- arguments -------------------------------------------------------------------------------------------------------

all="pgq $(awk 'NF { print $1 }' <<<"$plan" | uniq | paste -sd' ')"
wanted=$all
quick=
rounds=3
json=
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h)
        sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' bench/peers/run.sh
        exit 0
        ;;
    --quick)
        quick=--quick
        rounds=2
        ;;
    --json | --only)
        [ $# -ge 2 ] || { echo "bench/peers/run.sh: $1 needs a value" >&2; exit 2; }
        if [ "$1" = --only ]; then
            wanted=$(tr ',-' ' _' <<<"$2")
        else
            case $2 in /*) json=$2 ;; *) json=$called_from/$2 ;; esac
            : >"$json"
        fi
        shift
        ;;
    *)
        echo "bench/peers/run.sh: unknown option $1" >&2
        exit 2
        ;;
    esac
    shift
done
for name in $wanted; do
    [[ " $all " == *" $name "* ]] || { echo "bench/peers/run.sh: unknown name $name; the names are: $all" >&2; exit 2; }
done

SECONDS=0
here=$PWD/bench/peers
peers=$PWD/build/peers
bench=$PWD/build/release/bench/pgq_bench
database=pgq_bench_peers
mkdir -p "$peers/log"
pgq_on_exit
exec {lock}>"$peers/lock"
if ! flock -n "$lock"; then
    echo "another run is using build/peers: waiting for it"
    pgq_run flock "$lock"
fi
rm -rf "$peers"/run.*
work=$(mktemp -d "$peers/run.XXXXXX")
remarks=$work/remarks
touch "$work/measured" "$remarks"

step() { printf '[%3dm%02ds] %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*"; }
# Prints the text now, and again below the table.
remark() { printf '%s\n' "$*" | tee -a "$remarks"; }
is_wanted() { [[ " $wanted " == *" $1 "* ]]; }
admin() { PGOPTIONS="-c client_min_messages=warning" psql -XqAt -v ON_ERROR_STOP=1 "$PGQ_DSN" "$@"; }

# ---- installing ------------------------------------------------------------------------------------------------------
# Each function returns 1 if the peer cannot be installed, with the reason in $why. It does nothing if the peer is
# installed.

why=

# python NAME PIN...: makes one venv per peer, because the peers need different versions of the same packages.
python() {
    local dir=$peers/python/$1 log=$peers/log/$1
    shift
    ! [ "$(cat "$dir/pins" 2>/dev/null)" = "$*" ] || return 0
    why="no python3 with venv"
    python3 -c 'import venv, ensurepip' 2>/dev/null || return 1
    step "installing $*"
    rm -rf "$dir"
    why="pip could not install it, see ${log#"$PWD/"}"
    pgq_run python3 -m venv "$dir" >"$log" 2>&1 || return 1
    PIP_CACHE_DIR=$peers/cache/pip pgq_run "$dir/bin/pip" install --disable-pip-version-check "$@" >>"$log" 2>&1 || return 1
    echo "$*" >"$dir/pins"
}

node_peers() {
    local dir=$peers/node log=$peers/log/node
    why="no npm"
    command -v npm >/dev/null || return 1
    if ! cmp -s "$here/package.json" "$dir/installed.json"; then
        step "installing $(sed -n 's/^ *"\(.*\)": "\([0-9].*\)",\{0,1\}$/\1@\2/p' "$here/package.json" | paste -sd' ')"
        rm -rf "$dir"
        mkdir -p "$dir"
        cp "$here/package.json" "$dir/"
        why="npm could not install it, see ${log#"$PWD/"}"
        pgq_run npm install --prefix "$dir" --cache "$peers/cache/npm" --no-audit --no-fund >"$log" 2>&1 || return 1
        cp "$here/package.json" "$dir/installed.json"
    fi
    cp "$here"/*.mjs "$dir/" # Node looks modules up from the folder of the program
    why="the Node that npm has installed does not run"
    "$dir/node_modules/.bin/node" --version >/dev/null 2>&1
}

river_peer() {
    local program=$peers/river log=$peers/log/river
    why="no go"
    command -v go >/dev/null || return 1
    if [ -x "$program" ] && [ -z "$(find "$here/river" -newer "$program" -type f)" ]; then return 0; fi
    step "building $(sed -n 's,^.*\(riverqueue/river\) \(v.*\)$,\1 \2,p' "$here/river/go.mod")"
    why="go could not build it, see ${log#"$PWD/"}"
    GOPATH=$peers/go GOMODCACHE=$peers/go/mod GOCACHE=$peers/cache/go GOFLAGS=-modcacherw CGO_ENABLED=0 \
        pgq_run go -C "$here/river" build -o "$program" . >"$log" 2>&1
}

pgmq_peer() {
    local dir=$peers/pgmq log=$peers/log/pgmq source
    if [ "$(cat "$dir/crate" 2>/dev/null)" != "$pgmq_crate" ]; then
        why="its SQL is in a crate, and cargo is not installed"
        command -v cargo >/dev/null || return 1
        step "fetching the crate pgmq $pgmq_crate"
        rm -rf "$dir"
        mkdir -p "$dir/src" "$dir/home"
        printf '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n[dependencies]\n' >"$dir/Cargo.toml"
        printf 'pgmq = { version = "=%s", default-features = false }\n' "$pgmq_crate" >>"$dir/Cargo.toml"
        touch "$dir/src/lib.rs"
        why="no registry has it, see ${log#"$PWD/"}"
        # A configured mirror applies to this home, too.
        ! [ -f "${CARGO_HOME:-$HOME/.cargo}/config.toml" ] || cp "${CARGO_HOME:-$HOME/.cargo}/config.toml" "$dir/home/"
        CARGO_HOME=$dir/home pgq_run cargo fetch --manifest-path "$dir/Cargo.toml" >"$log" 2>&1 || return 1
        source=$(find "$dir/home/registry/src" -path "*/pgmq-$pgmq_crate/*/pgmq.sql" | head -n 1)
        [ -n "$source" ] || return 1
        cp "$source" "$dir/pgmq.sql"
        sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" "${source%/sql/*}/pgmq.control" >"$dir/version"
        echo "$pgmq_crate" >"$dir/crate"
    fi
    python psycopg "${psycopg_pins[@]}"
}

skytools_peer() {
    local package=postgresql-$(($(admin -c 'SHOW server_version_num') / 10000))-pgq3
    if ! [ "$(admin -c "SELECT count(*) FROM pg_available_extensions WHERE name = 'pgq'")" = 1 ]; then
        why="the server of PGQ_DSN does not have the extension"
        [ -n "$_pgq_pg_dir" ] || return 1
        why="the Debian package $package cannot be installed"
        pgq_need "$package" >"$peers/log/skytools" 2>&1 || return 1
        [ "$(admin -c "SELECT count(*) FROM pg_available_extensions WHERE name = 'pgq'")" = 1 ] || return 1
    fi
    python psycopg "${psycopg_pins[@]}"
}

install() {  # NAME
    why="?"
    case $1 in
    pgqueuer) python pgqueuer "${pgqueuer_pins[@]}" ;;
    pgjobq) python pgjobq "${pgjobq_pins[@]}" ;;
    pq) python pq "${pq_pins[@]}" ;;
    procrastinate) python procrastinate "${procrastinate_pins[@]}" ;;
    graphile_worker | pg_boss) node_peers ;;
    river) river_peer ;;
    pgmq) pgmq_peer ;;
    skytools) skytools_peer ;;
    esac
}

# ---- measuring -------------------------------------------------------------------------------------------------------

run_peer() {  # NAME SETTING ONE MANY DRAIN
    local program
    case $1 in
    graphile_worker | pg_boss) program=("$peers/node/node_modules/.bin/node" "$peers/node/with_$1.mjs") ;;
    river) program=("$peers/river") ;;
    pgmq | skytools) program=("$peers/python/psycopg/bin/python" "$here/with_$1.py") ;;
    *) program=("$peers/python/$1/bin/python" "$here/with_$1.py") ;;
    esac
    PGDATABASE=$database PYTHONDONTWRITEBYTECODE=1 NO_LOG_SUCCESS=1 \
        PEERS_PGMQ_SQL=$peers/pgmq/pgmq.sql PEERS_PGMQ_VERSION=$(cat "$peers/pgmq/version" 2>/dev/null) \
        pgq_run timeout "$([ -n "$quick" ] && echo 60 || echo 300)" "${program[@]}" "${@:2}"
}

declare -A broken=()

measure() {  # NAME SETTING ONE MANY DRAIN
    local status=0 out=$work/out err=$peers/log/$1.$2
    [ -z "${broken[$1.$2]-}" ] || return 0
    admin -c "DROP DATABASE IF EXISTS $database WITH (FORCE)"
    admin -c "CREATE DATABASE $database" -c CHECKPOINT
    run_peer "$@" >"$out" 2>"$err" || status=$?
    cat "$out" >>"$work/measured" # the peer verifies each measurement before it prints it
    if [ $status != 0 ]; then
        broken[$1.$2]=yes
        remark "$1, $2: failed with status $status, see ${err#"$PWD/"}: $(grep -v "^ " "$err" | tail -n 1)"
    fi
}

measure_pgq() {  # ROUND
    local status=0
    pgq_run timeout 900 "$bench" peers --json "$work/pgq.$1" $quick >"$peers/log/pgq" 2>&1 || status=$?
    [ $status = 0 ] || remark "pgq, round $1: failed with status $status, see build/peers/log/pgq"
}

one_round() {  # ROUND
    local name setting one many drain
    if [ -x "$bench" ] && is_wanted pgq; then
        step "round $1 of $rounds: pgq"
        measure_pgq "$1"
    fi
    while read -r name setting one many drain <&3; do
        [[ " $available " == *" $name "* ]] || continue
        if [ -n "$quick" ]; then
            one=$((one / 10)) many=$((many / 10)) drain=$((drain >= 20 ? drain / 10 : 2))
        fi
        step "round $1 of $rounds: $name, $setting"
        measure "$name" "$setting" "$one" "$many" "$drain"
    done 3< <(awk NF <<<"$plan")
}

print_server() {
    local durable cpu
    cpu=$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)
    echo "$(admin -c 'SELECT version()' | sed 's/ on .*//'), $(nproc) cores: $cpu"
    admin -c "SELECT 'settings: ' || string_agg(name || ' = ' || current_setting(name), ', ') FROM unnest(ARRAY['fsync',
        'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'shared_buffers', 'max_wal_size', 'checkpoint_timeout']) name"
    durable=$(admin -c "SELECT string_agg(current_setting(name), '')
        FROM unnest(ARRAY['fsync', 'synchronous_commit', 'full_page_writes']) name")
    if [ "$durable" != ononon ]; then
        echo "bench/peers/run.sh: this server is not durable, so the numbers would not compare" >&2
        exit 2
    fi
}

PGQ_PG_SETTINGS=$settings
pgq_need postgresql util-linux
command -v python3 >/dev/null || pgq_need python3
python3 -c 'import venv, ensurepip' 2>/dev/null || pgq_need python3-venv || true
pgq_start_postgres --tcp
print_server
# The drivers of all peers read libpq's environment, so each connects as pgq does, by the socket.
read -r PGHOST PGPORT PGUSER < <(psql -XAt "$PGQ_DSN" -c '\echo :HOST :PORT :USER')
export PGHOST PGPORT PGUSER

available=
for name in $wanted; do
    if [ "$name" = pgq ]; then
        [ -x "$bench" ] || remark "pgq: ${bench#"$PWD/"} is not built; left out"
    elif install "$name"; then
        available+=" $name"
    else
        remark "$name: $why; left out"
    fi
done
echo "versions: $(python3 --version), $(command -v go >/dev/null && go env GOVERSION || echo 'no go'), Node $(
    "$peers/node/node_modules/.bin/node" --version 2>/dev/null || echo '-')"

for ((round = 1; round <= rounds; round++)); do one_round "$round"; done
admin -c "DROP DATABASE IF EXISTS $database WITH (FORCE)"
step "done"

python3 bench/peers/report.py "$work" "$(sed -n 's/^#define PGQ_VERSION "\(.*\)"/\1/p' include/pgq/version.hpp)" $json
if [ -s "$remarks" ]; then
    echo
    cat "$remarks"
fi
rm -rf "$work"
[ ${#broken[@]} = 0 ]
