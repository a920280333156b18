# Shared by tests/run.sh, examples/quickstart.sh and bench/run.sh. Source it from bash.
#
#   pgq_on_exit                 stops and removes what this file started when the script ends, also after a signal
#   pgq_need PACKAGE...         installs missing Debian packages ("a|b": either of them)
#   pgq_start_postgres [--tcp]  starts a temporary server and sets PGQ_DSN; does nothing if PGQ_DSN is set
#   pgq_stop_postgres           stops the temporary server and removes its directory
#   pgq_run COMMAND...          runs COMMAND; Ctrl-C and TERM end it with all processes that it started
#
# PGQ_PG_SETTINGS may have more lines for the server's postgresql.conf.

_pgq_pg_dir=
_pgq_pg_bin=
_pgq_pg_user=
_pgq_job=

# ---- cleaning up
# ------------------------------------------------------------------------------------------------------

_pgq_at_exit() {
    local status=$?
    trap - EXIT
    trap '' INT TERM HUP # a second Ctrl-C would leave the server running
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

# Bash runs a trap only between commands, so a TERM would wait for the end of a build. But a trap interrupts `wait`.
# With set -m the command gets its own process group, so that one signal ends all of its processes.
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

# ---- packages
# ---------------------------------------------------------------------------------------------------------

_pgq_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
_pgq_available() { [[ $(apt-cache show --no-all-versions "$1" 2>/dev/null) == *Package:* ]]; }

# Prints nothing if an alternative is installed; otherwise the first one that is available.
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
        [ "${missing[*]}" = "$old_missing" ] || echo "after the update: installing ${missing[*]}"
    fi

    # Debian's server packages create and start a cluster. This file starts its own server, so it disables that for this
    # installation.
    local no_cluster=/etc/postgresql-common/createcluster.d/zz-pgq.conf
    if ! _pgq_installed postgresql-common && [[ " ${missing[*]} " == *" postgresql"* ]]; then
        _pgq_as_root mkdir -p "${no_cluster%/*}"
        echo 'create_main_cluster = false' | _pgq_as_root tee "$no_cluster" >/dev/null
    else
        no_cluster=
    fi

    local status=0
    # The package lists may be older than the archive: updates them and tries once more.
    _pgq_as_root "${apt[@]}" install --no-install-recommends "${missing[@]}" ||
        { _pgq_as_root "${apt[@]}" update && _pgq_as_root "${apt[@]}" install --no-install-recommends "${missing[@]}"; } ||
        status=$?
    [ -z "$no_cluster" ] || _pgq_as_root rm -f "$no_cluster"
    return $status
}

# ---- the temporary server
# ---------------------------------------------------------------------------------------------

# Prints the directory of the newest installed server.
_pgq_find_pg() {
    local found
    found=$({ find /usr/lib/postgresql /usr/pgsql-* -path '*/bin/initdb' 2>/dev/null || true; } | sort -V | tail -n 1)
    [ -n "$found" ] || found=$(command -v initdb) || {
        echo "no PostgreSQL server is installed (looked for initdb)" >&2
        return 1
    }
    dirname "$(readlink -f "$found")"
}

# Runs a command as the owner of the server, because a server refuses to run as root.
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

# Makes a directory for the server. The path of a socket has at most 107 bytes, and the owner must reach it.
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
    echo "no directory for a PostgreSQL server: ${TMPDIR:-/tmp} and /tmp are not usable" >&2
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
    # Closes our descriptors, because the server would keep their locks.
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

    # -N: initdb does not sync its files. The server does (fsync = on).
    if ! (cd "$_pgq_pg_dir" && _pgq_pg_as "$_pgq_pg_bin/initdb" -N -D "$_pgq_pg_dir/data" -U pgq -A trust -E UTF8 --no-locale) \
        >"$_pgq_pg_dir/initdb.out" 2>&1; then
        cat "$_pgq_pg_dir/initdb.out" >&2
        pgq_stop_postgres
        return 1
    fi
    _pgq_pg_configure "$listen" >>"$_pgq_pg_dir/data/postgresql.conf"

    # Another process may take the TCP port before the server starts. Then the loop tries another port.
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

    if ! (cd / && _pgq_pg_as "$_pgq_pg_bin/createdb" -h "$_pgq_pg_dir" -p $port -U pgq pgq); then
        pgq_stop_postgres
        return 1
    fi
    export PGQ_DSN="host=$_pgq_pg_dir port=$port user=pgq dbname=pgq"
    if [ -n "$listen" ]; then export PGQ_DSN_TCP="host=$listen port=$port user=pgq dbname=pgq"; fi
}

pgq_stop_postgres() {
    [ -n "$_pgq_pg_dir" ] || return 0
    local dir=$_pgq_pg_dir
    _pgq_pg_dir=
    if [ -f "$dir/data/postmaster.pid" ]; then
        (cd / && _pgq_pg_as "$_pgq_pg_bin/pg_ctl" -D "$dir/data" -m immediate -w -t 30 stop) >/dev/null 2>&1 || true
    fi
    rm -rf "$dir"
    unset PGQ_DSN PGQ_DSN_TCP
}
