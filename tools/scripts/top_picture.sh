#!/usr/bin/env bash
# top_picture.sh PGQ: puts pictures of `pgq top` into docs/guides/top.md, between its marks. PGQ_DSN names an empty
# database; tmux shows the screen.
set -euo pipefail
[ $# = 1 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2; }
program=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
page=docs/guides/top.md
work=$(mktemp -d)
terminal() { env -u TMUX LC_ALL=C.UTF-8 tmux -L "picture$$" -f /dev/null "$@"; }
trap 'terminal kill-server 2>/dev/null || true; rm -rf "$work"' EXIT
sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$PGQ_DSN" -c "$1"; }
lane() { sql "SELECT id FROM pgq_jobs.lane WHERE entrypoint = '$1'"; }
screen() { terminal capture-pane -p -t top; }

# jobs QUEUE ENTRYPOINT READY HELD DONE FAILED: a lane with jobs, and with jobs that have ended in this minute.
jobs() {
    sql "WITH l AS (INSERT INTO pgq_jobs.lane (queue, entrypoint) VALUES ('$1', '$2') RETURNING id),
              r AS (INSERT INTO pgq_jobs.ready (rank, lane, body) SELECT -1, l.id, '{\"to\":\"a@example.org\"}' FROM l, generate_series(1, $3)),
              m AS (INSERT INTO pgq_jobs.minute (lane, at, worker, enqueued, done, held, wait_us, run_us, wait, run)
                    SELECT id, date_trunc('minute', now()), 1, $5, $5, $6, 48000, 1500000, round(10 ^ 120::numeric), round(10 ^ 180::numeric) FROM l)
         INSERT INTO pgq_jobs.deferred (run_at, kind, reason, id, rank, lane, attempts, body)
         SELECT 'infinity', 'h', 'connect to smtp.example.org: connection refused', 1000000 + n, -1, l.id, 3, '{\"to\":\"a@example.org\"}' FROM l, generate_series(1, $4) n"
}
"$program" --dsn "$PGQ_DSN" install >/dev/null
jobs mail send 120 3 900 3
jobs mail digest 3 0 40 0
jobs orders invoice 40 0 300 0
jobs orders ship 10002 0 2400 0
jobs billing charge 7 0 0 0
sql "INSERT INTO pgq_jobs.worker (lease_time, host, pid, version, lanes)
     VALUES ('1 h', 'web-1', 4711, '1.2', ARRAY[$(lane send), $(lane digest), $(lane invoice), $(lane ship)]);
     INSERT INTO pgq_jobs.worker (lease_time, host, pid, version, lanes, heartbeat_at)
     VALUES ('1 min', 'web-2', 4712, '1.2', ARRAY[$(lane ship)], now() - interval '5 min');
     INSERT INTO pgq_jobs.paused (queue, entrypoint, kind, reason) VALUES ('orders', 'invoice', 'paused', 'deploy');
     INSERT INTO pgq_jobs.failure (id, lane, attempt, reason) SELECT 1000003, $(lane send), n, E'connect to smtp.example.org: connection refused\n(attempt ' || n || ')'
       FROM generate_series(1, 3) n"

starts() { terminal new-session -d -s top -x "$1" -y "$2" "TERM=screen-256color $program --dsn '$PGQ_DSN' top --interval 0.5"; }
waits_for() { # TEXT
    local until=$((SECONDS + 30))
    while ! screen 2>/dev/null | grep -qF -- "$1"; do [ $SECONDS -lt $until ] || { echo "no '$1' on the screen" >&2; exit 1; }; done
}
# samples N: so many samples of changing numbers.
samples() {
    local before i
    for ((i = 1; i <= $1; ++i)); do
        before=$(screen | head -n 1)
        sql "UPDATE pgq_jobs.minute SET done = done + ($i * 37 % 5) * done / 9"
        while [ "$(screen | head -n 1)" = "$before" ]; do :; done
    done
}
# The database of the picture has a name of its own.
picture() {
    printf '```text\n%s\n```\n' "$(screen | awk 'NR == 1 && match($0, /every .*/) {
        printf "%-" RSTART - 1 "s%s\n", "pgq top  shop on db1:5432 as operator", substr($0, RSTART); next } { sub(/ *$/, ""); print }')"
}

starts 80 18
waits_for '!!no worker'
picture >"$work/narrow"
terminal resize-window -t top -x 80 -y 24
terminal send-keys -t top / s e n d Enter Enter
waits_for 'mail/send'
waits_for ready
terminal send-keys -t top End Enter
waits_for 'failed attempts'
terminal send-keys -t top v
waits_for payload
picture >"$work/job"
terminal kill-session -t top
starts 156 12
waits_for '!!no worker'
samples 12
picture >"$work/wide"

for name in narrow wide job; do
    awk -v name="$name" -v file="$work/$name" '
        $0 == "<!-- picture " name " -->" { print; print ""; while ((getline line < file) > 0) print line; inside = 1; next }
        $0 == "<!-- end of picture -->" && inside { print ""; inside = 0 }
        !inside' "$page" >"$work/page"
    cp "$work/page" "$page"
done
