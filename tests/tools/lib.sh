# Sourced by the tests here. $1 of each is the program `pgq`, or one with its sub-commands; PGQ_DSN names an empty
# database.

set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../examples/expect.sh"
pgq_program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset NO_COLOR

# pgq ARGUMENT...: the program, with the database and nobody to ask.
pgq() { "$pgq_program" --dsn "$PGQ_DSN" "$@" </dev/null; }

# prints TEXT ARGUMENT...: ends with 0 and writes exactly this to stdout, and nothing to stderr.
prints() { ends 0 "$@"; }

# ends STATUS TEXT ARGUMENT...: the same with another status.
ends() {
    local status=0 found
    found=$(pgq "${@:3}" 2>"$work/stderr") || status=$?
    expect "stderr of pgq ${*:3}" "$(cat "$work/stderr")" ''
    expect "exit status of pgq ${*:3}" "$status" "$1"
    expect "stdout of pgq ${*:3}" "$found" "$2"
}

# refuses STATUS REGEX ARGUMENT...: ends with it, writes nothing to stdout, and a matching line to stderr.
refuses() {
    local status=0 found said
    found=$(pgq "${@:3}" 2>"$work/stderr") || status=$?
    said=$(cat "$work/stderr")
    expect_like "stderr of pgq ${*:3}" "$said" "^${pgq_program##*/}: $2"
    expect "exit status of pgq ${*:3}" "$status" "$1"
    expect "stdout of pgq ${*:3}" "$found" ''
    expect "lines on stderr of pgq ${*:3}" "$(wc -l <"$work/stderr")" 1
}

# on_terminal ANSWER ARGUMENT...: what the program shows on a terminal where somebody types the answer. Its exit status
# is that of this function.
on_terminal() {
    local line
    printf -v line '%q ' "$pgq_program" --dsn "$PGQ_DSN" "${@:2}"
    printf '%s\n' "$1" | TERM=xterm script -qec "$line" /dev/null | tr -d '\r'
}

# add_jobs QUEUE ENTRYPOINT READY [HELD]: makes the lane and puts jobs into it.
add_jobs() {
    sql "WITH l AS (INSERT INTO pgq_jobs.lane (queue, entrypoint) VALUES ('$1', '$2') RETURNING id),
              r AS (INSERT INTO pgq_jobs.ready (rank, lane, body) SELECT 0, l.id, '{}' FROM l, generate_series(1, $3))
         INSERT INTO pgq_jobs.deferred (run_at, kind, reason, id, rank, lane, body)
         SELECT 'infinity', 'h', 'broken', 1000000 + n, 0, l.id, '{}' FROM l, generate_series(1, ${4-0}) n"
}

# own_roles: names of the five roles that no other test has, as options in the array `roles`. Their suffix is
# `suffix`. They are dropped at the end, because they belong to the whole server.
own_roles() {
    suffix=_$$_$RANDOM
    roles=(--owner "own$suffix" --producer "pro$suffix" --worker "wor$suffix" --operator "ope$suffix" --reader "rea$suffix")
    trap drop_roles EXIT
}
# as ROLE ARGUMENT...: the program with the rights of own, pro, wor, ope or rea.
as() { PGOPTIONS="-c role=$1$suffix" pgq "${@:2}"; }
drop_roles() {
    local role
    for role in own pro wor ope rea; do
        PGOPTIONS='-c client_min_messages=error' sql "DROP OWNED BY $role$suffix CASCADE" || true
        sql "DROP ROLE IF EXISTS $role$suffix" || true
    done 2>/dev/null
    rm -rf "$work"
}
