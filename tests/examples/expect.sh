# Sourced by the tests here.

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

expect() {  # WHAT FOUND WANTED
    [ "$2" = "$3" ] || fail "$1: found '$2', wanted '$3'"
}

expect_like() {  # WHAT FOUND REGEX
    [[ $2 =~ $3 ]] || fail "$1: found '$2', wanted a match of '$3'"
}

expect_exit() {  # STATUS COMMAND...
    local status=0
    "${@:2}" || status=$?
    expect "exit status of ${*:2}" "$status" "$1"
}

sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$PGQ_DSN" -c "$1"; }

wait_for() {  # SECONDS WHAT COMMAND...
    local until=$((SECONDS + $1))
    while ! "${@:3}" 2>/dev/null; do
        [ $SECONDS -lt $until ] || fail "after $1 s still no: $2"
    done
}
