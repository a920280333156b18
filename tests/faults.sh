#!/usr/bin/env bash
# faults.sh PROGRAM [ARGUMENT...]: runs a test program in which the library's connections go through a proxy that delays,
# cuts and silences them at random (tests/support/faults), and the tests' own statements go to the server. Without an
# argument it runs all tests but those with the tags [slow], [crash] and [undisturbed], several at a time, and fails if the proxy
# had nothing to break. PGQ_FAULT_SEED is the seed of the faults; it is printed. PGQ_FAULT_LOG names a file for them.
set -euo pipefail
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$tests/../tools/scripts/pg.sh"

program=$1
shift
seed=${PGQ_FAULT_SEED:-$(($(date +%s) % 1000000))}
echo "PGQ_FAULT_SEED=$seed"
export PGQ_FAULT_SEED=$seed

proxy=
folder=$(mktemp -d)
stop_proxy() {
    [ -z "$proxy" ] || kill "$proxy" 2>/dev/null || true
    rm -rf "$folder"
}
pgq_on_exit
trap 'status=$?; set +e; stop_proxy; (exit $status); _pgq_at_exit' EXIT
unset PGQ_DSN
pgq_start_postgres
server=${PGQ_DSN#host=}
server=${server%% *}

"$(dirname "$program")/programs/fault_proxy" "$server/.s.PGSQL.5432" "$seed" "${PGQ_FAULT_LOG:-/dev/null}" \
    >"$folder/proxy" &
proxy=$!
for _ in $(seq 100); do
    [ ! -s "$folder/proxy" ] || break
    kill -0 "$proxy"
    sleep 0.1
done
port=$(head -n 1 "$folder/proxy")
export PGQ_LIBRARY_DSN="host=127.0.0.1 port=$port user=pgq dbname=pgq sslmode=disable gssencmode=disable"

status=0
if [ $# -gt 0 ]; then pgq_run "$program" "$@" || status=$?
else pgq_run "$tests/in_parts.sh" 6 "$program" '~[slow]~[undisturbed]~[crash]' || status=$?; fi
kill "$proxy"
wait "$proxy" || true
proxy=
tail -n +2 "$folder/proxy"
for fault in 'worker: cut in a request' 'worker: cut before or in an answer' 'worker: cut after a request' \
    'worker: silence' 'heartbeat: cut' 'watcher: cut' 'scheduler: cut' 'client: cut behind a commit' \
    'client: cut (in a request|before or in an answer)'; do
    [ $# -gt 0 ] || grep -qE "^$fault" "$folder/proxy" || {
        echo "the proxy has done nothing of this: $fault" >&2
        status=1
    }
done
[ $status = 0 ] || echo "with PGQ_FAULT_SEED=$seed" >&2
exit $status
