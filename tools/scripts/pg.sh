# Shared by tests/run.sh, tests/matrix.sh, examples/quickstart.sh and bench/run.sh; source it from bash.
#
#   pgq_on_exit                 at the end of the script, however it ends, stop and remove what this file started
#   pgq_need PACKAGE...         install the Debian packages that are missing ("a|b": one of them is enough)
#   pgq_start_postgres [--tcp]  set PGQ_DSN: starts a temporary server, unless PGQ_DSN names one already
#   pgq_stop_postgres           stop the temporary server and remove its directory; leaves other servers alone
#   pgq_start_pooler            set PGQ_POOLER_DSN: starts a PgBouncer in transaction mode in front of the temporary server
#   pgq_run COMMAND...          run a command; Ctrl-C and TERM end it and all processes that it started
#
# PGQ_PG_SETTINGS may hold more lines for the server's postgresql.conf. PGQ_PG_FIRST_OID is the oid of the first new object.
# PGQ_PG_BIN is the directory of the server's programs; without it the newest installed server is taken.

_pgq_pg_dir=
_pgq_pg_bin=
_pgq_pg_user=
_pgq_pooler=
_pgq_job=

# ---- cleaning up ------------------------------------------------------------------------------------------------------

_pgq_at_exit() {
    local status=$?
    trap - EXIT
    trap '' INT TERM HUP # a second Ctrl-C would leave the server behind
    if [ -n "$_pgq_job" ]; then
        kill -TERM -- "-$_pgq_job" 2>/dev/null || true
        wait "$_pgq_job" 2>/dev/null || true
    fi
    pgq_stop_postgres
    exit "$status"
}

pgq_on_exit() {
    trap _pgq_at_exit EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# Bash runs a trap between commands only, so a TERM would wait for the end of a build. But it interrupts `wait`. And with a
# separate process group (set -m) one kill ends the command and all its children.
pgq_run() {
    local status=0
    set -m
    "$@" </dev/null &
    _pgq_job=$!
    set +m
    wait "$_pgq_job" || status=$?
    _pgq_job=
    return "$status"
}

# ---- packages ---------------------------------------------------------------------------------------------------------

_pgq_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
_pgq_available() { [[ $(apt-cache show --no-all-versions "$1" 2>/dev/null) == *Package:* ]]; }

# Prints the first alternative that is available; nothing when one is installed.
_pgq_choose() {
    local package alternatives
    IFS='|' read -ra alternatives <<<"$1"
    for package in "${alternatives[@]}"; do ! _pgq_installed "$package" || return 0; done
    for package in "${alternatives[@]}"; do
        if _pgq_available "$package"; then
            printf '%s\n' "$package"
            return
        fi
    done
    printf '%s\n' "${alternatives[0]}"
}

_pgq_as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

pgq_need() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "not a Debian system: assuming that these are installed: $*" >&2
        return 0
    fi

    local wanted missing=() package
    for wanted in "$@"; do
        package=$(_pgq_choose "$wanted")
        [ -z "$package" ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
        printf 'missing packages: %s\ninstall them (apt-get install %s) and run this again\n' "${missing[*]}" "${missing[*]}" >&2
        return 1
    fi

    echo "installing ${missing[*]}"
    local old_missing="${missing[*]}" apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300)
    local unavailable=no
    for package in "${missing[@]}"; do _pgq_available "$package" || unavailable=yes; done
    if [ $unavailable = yes ]; then
        _pgq_as_root "${apt[@]}" update
        missing=()
        for wanted in "$@"; do
            package=$(_pgq_choose "$wanted")
            [ -z "$package" ] || missing+=("$package")
        done
        [ "${missing[*]}" = "$old_missing" ] || echo "that is now ${missing[*]}"
    fi

    # Debian's server packages create and start a cluster. This setting prevents it for this installation.
    local no_cluster=/etc/postgresql-common/createcluster.d/zz-pgq.conf
    if ! _pgq_installed postgresql-common && [[ " ${missing[*]} " == *" postgresql"* ]]; then
        _pgq_as_root mkdir -p "${no_cluster%/*}"
        echo 'create_main_cluster = false' | _pgq_as_root tee "$no_cluster" >/dev/null
    else
        no_cluster=
    fi

    local status=0
    # The package lists may be older than the archive: update them and try again.
    _pgq_as_root "${apt[@]}" install --no-install-recommends "${missing[@]}" ||
        { _pgq_as_root "${apt[@]}" update && _pgq_as_root "${apt[@]}" install --no-install-recommends "${missing[@]}"; } ||
        status=$?
    [ -z "$no_cluster" ] || _pgq_as_root rm -f "$no_cluster"
    return $status
}

# ---- the temporary server --------------------------------------------------------------------------------------------

# The directory of the server's programs.
_pgq_find_pg() {
    if [ -n "${PGQ_PG_BIN-}" ]; then
        printf '%s\n' "$PGQ_PG_BIN"
        return
    fi
    local found
    found=$({ find /usr/lib/postgresql /usr/pgsql-* -path '*/bin/initdb' 2>/dev/null || true; } | sort -V | tail -n 1)
    [ -n "$found" ] || found=$(command -v initdb) || {
        echo "no PostgreSQL server is installed (looked for initdb)" >&2
        return 1
    }
    dirname "$(readlink -f "$found")"
}

# Runs a command as the server's owner: a server refuses to run as root.
_pgq_pg_as() {
    if [ -z "$_pgq_pg_user" ]; then
        "$@"
    elif command -v runuser >/dev/null; then
        runuser -u "$_pgq_pg_user" -- "$@"
    elif command -v setpriv >/dev/null; then
        setpriv --reuid "$_pgq_pg_user" --regid "$(id -g "$_pgq_pg_user")" --init-groups "$@"
    else
        su -s /bin/sh "$_pgq_pg_user" -c "$(printf '%q ' "$@")"
    fi
}

# Makes a directory that the owner of the server can reach. The path of a socket has at most 107 bytes.
_pgq_pg_make_dir() {
    local parent
    for parent in "${TMPDIR:-/tmp}" /tmp; do
        parent=${parent%/}
        [ ${#parent} -lt 70 ] || continue
        _pgq_pg_as test -x "$parent" || continue
        _pgq_pg_dir=$(mktemp -d "$parent/pgq_pg.XXXXXX") || continue
        [ -z "$_pgq_pg_user" ] || chown "$_pgq_pg_user" "$_pgq_pg_dir"
        return 0
    done
    echo "no directory for a PostgreSQL server: neither ${TMPDIR:-/tmp} nor /tmp will do" >&2
    return 1
}

_pgq_pg_configure() {  # LISTEN_ADDRESSES
    cat <<CONF
listen_addresses = '$1'
unix_socket_directories = '$_pgq_pg_dir'
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 256MB
max_wal_size = 4GB
fsync = on
shared_preload_libraries = ''
${PGQ_PG_SETTINGS-}
CONF
}

_pgq_pg_launch() {  # PORT
    # Closes inherited descriptors: otherwise the server would keep our locks.
    (
        for fd in /proc/self/fd/*; do
            fd=${fd##*/}
            [ "$fd" -le 2 ] || eval "exec $fd>&-" 2>/dev/null || true
        done
        cd "$_pgq_pg_dir" &&
            _pgq_pg_as "$_pgq_pg_bin/pg_ctl" -D "$_pgq_pg_dir/data" -l "$_pgq_pg_dir/log" -w -t 60 -o "-p $1" start
    ) </dev/null >"$_pgq_pg_dir/pg_ctl.out" 2>&1
}

pgq_start_postgres() {
    if [ -n "${PGQ_DSN-}" ]; then
        echo "using the database of PGQ_DSN"
        return 0
    fi

    local listen='' port=5432 tries=1
    if [ "${1-}" = --tcp ]; then
        listen=127.0.0.1
        tries=10
    fi

    _pgq_pg_bin=$(_pgq_find_pg) || return 1
    _pgq_pg_user=
    if [ "$(id -u)" = 0 ]; then
        _pgq_pg_user=nobody
        ! id postgres >/dev/null 2>&1 || _pgq_pg_user=postgres
    fi
    _pgq_pg_make_dir || return 1

    # -N: the files of initdb need not survive a power cut; the server itself runs with fsync = on.
    if ! (cd "$_pgq_pg_dir" && _pgq_pg_as "$_pgq_pg_bin/initdb" -N -D "$_pgq_pg_dir/data" -U pgq -A trust -E UTF8 --no-locale) \
        >"$_pgq_pg_dir/initdb.out" 2>&1; then
        cat "$_pgq_pg_dir/initdb.out" >&2
        pgq_stop_postgres
        return 1
    fi
    if [ -n "${PGQ_PG_FIRST_OID:-}" ]; then
        (cd "$_pgq_pg_dir" && _pgq_pg_as "$_pgq_pg_bin/pg_resetwal" -o "$PGQ_PG_FIRST_OID" "$_pgq_pg_dir/data") >/dev/null || return 1
    fi
    _pgq_pg_configure "$listen" >>"$_pgq_pg_dir/data/postgresql.conf"

    # Over TCP another process may take the port before the server does. Then choose another one.
    while :; do
        [ -z "$listen" ] || port=$((20000 + RANDOM % 12000))
        ! _pgq_pg_launch $port || break
        tries=$((tries - 1))
        if [ $tries = 0 ]; then
            cat "$_pgq_pg_dir/pg_ctl.out" >&2
            tail -n 20 "$_pgq_pg_dir/log" >&2 || true
            pgq_stop_postgres
            return 1
        fi
    done

    local createdb=$_pgq_pg_bin/createdb
    [ -x "$createdb" ] || createdb=createdb # some packages have the server only
    if ! (cd / && _pgq_pg_as "$createdb" -h "$_pgq_pg_dir" -p $port -U pgq pgq); then
        pgq_stop_postgres
        return 1
    fi
    export PGQ_DSN="host=$_pgq_pg_dir port=$port user=pgq dbname=pgq"
    if [ -n "$listen" ]; then export PGQ_DSN_TCP="host=$listen port=$port user=pgq dbname=pgq"; fi
}

# Its files are in the directory of the server. Each transaction gets another session.
pgq_start_pooler() {
    [ -n "$_pgq_pg_dir" ] || { echo "the pooler needs the temporary server: unset PGQ_DSN" >&2; return 1; }
    local dir=$_pgq_pg_dir/pooler as=()
    mkdir "$dir"
    cat >"$dir/ini" <<INI
[databases]
* = host=$_pgq_pg_dir port=5432 auth_user=pgq
[pgbouncer]
listen_port = 6432
unix_socket_dir = $dir
auth_type = trust
auth_query = SELECT rolname, NULL FROM pg_catalog.pg_roles WHERE rolname = \$1
logfile = $dir/log
pool_mode = transaction
max_client_conn = 1000
default_pool_size = 50
server_round_robin = 1
INI
    if [ -n "$_pgq_pg_user" ]; then
        chown -R "$_pgq_pg_user" "$dir"
        as=(-u "$_pgq_pg_user")
    fi
    PATH=$PATH:/usr/sbin pgbouncer -q "${as[@]}" "$dir/ini" &
    _pgq_pooler=$!
    local _
    for _ in $(seq 100); do
        ! "$_pgq_pg_bin/pg_isready" -q -h "$dir" -p 6432 || break
        kill -0 "$_pgq_pooler" || { cat "$dir/log" >&2; return 1; }
        sleep 0.1
    done
    export PGQ_POOLER_DSN="host=$dir port=6432 user=pgq dbname=pgq"
}

pgq_stop_postgres() {
    [ -n "$_pgq_pg_dir" ] || return 0
    local dir=$_pgq_pg_dir
    _pgq_pg_dir=
    [ -z "$_pgq_pooler" ] || kill "$_pgq_pooler" 2>/dev/null || true
    _pgq_pooler=
    if [ -f "$dir/data/postmaster.pid" ]; then
        (cd / && _pgq_pg_as "$_pgq_pg_bin/pg_ctl" -D "$dir/data" -m immediate -w -t 30 stop) >/dev/null 2>&1 || true
    fi
    rm -rf "$dir"
    unset PGQ_DSN PGQ_DSN_TCP PGQ_POOLER_DSN
}
