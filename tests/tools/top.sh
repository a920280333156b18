#!/usr/bin/env bash
# top.sh PGQ: pgq top in tmux: keys, sizes, a server that goes away and comes back; and its rows in a pipe.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
if ! command -v tmux >/dev/null || ! pgq --help | grep -q '^  top '; then
    echo "left out: tmux is missing, or this pgq has no top"
    exit 77
fi

# Each run has a tmux server of its own, and programs in it have a plain environment.
terminal() { tmux -L "pgq$$" -f /dev/null "$@"; }
trap 'terminal kill-server 2>/dev/null || true; rm -rf "$work"' EXIT
unset TMUX
export LC_ALL=C.UTF-8
terminal new-session -d -s keep -x 80 -y 24 'cat' # so that the server outlives each window

# starts COLUMNSxROWS ARGUMENT...: pgq top in a terminal of this size.
starts() {
    local line
    printf -v line '%q ' env "TERM=${term-screen-256color}" ${environment-} "$pgq_program" --dsn "${dsn-$PGQ_DSN}" top --interval 1 "${@:2}"
    terminal new-session -d -s top -x "${1%x*}" -y "${1#*x}" "trap : INT; $line 2>$work/stderr; echo ended with \$?; exec cat"
}
screen() { terminal capture-pane -p -t top; }
has() { screen | grep -qF -- "$1"; }
has_not() { ! has "$1"; }
shows() { wait_for 30 "'$1' on the screen: $(screen)" has "$1"; }
loses() { wait_for 30 "a screen without '$1': $(screen)" has_not "$1"; }
press() { terminal send-keys -t top "$@"; }
ends_with() {
    shows "ended with $1"
    expect "stderr of pgq top" "$(cat "$work/stderr")" "${2-}"
    terminal kill-session -t top
}

refuses 4 '.*run "pgq install"' top --once
pgq install >/dev/null
add_jobs default mail 2 1
add_jobs default report 0
add_jobs orders ship 10002
add_jobs $'w\u00e9ird\e[31m' $'\u6f22\u5b57' 5
lane_of() { sql "SELECT id FROM pgq_jobs.lane WHERE entrypoint = '$1'"; }
sql "INSERT INTO pgq_jobs.worker (lease_time, host, pid, version, lanes)
     VALUES ('1 h', 'web-1', 4711, '1.2', ARRAY[$(lane_of mail), $(lane_of report)]);
     INSERT INTO pgq_jobs.worker (lease_time, host, pid, version, lanes, heartbeat_at)
     VALUES ('1 min', 'web-2', 4712, '1.2', ARRAY[$(lane_of ship)], now() - interval '5 min');
     INSERT INTO pgq_jobs.minute (lane, at, worker, enqueued, done, held, wait_us, run_us, wait, run)
     VALUES ($(lane_of mail), date_trunc('minute', now()), 1, 60, 30, 3, 48000, 1500000, round(10 ^ 120::numeric), round(10 ^ 180::numeric));
     INSERT INTO pgq_jobs.failure (id, lane, attempt, reason) VALUES (1000001, $(lane_of mail), 3, E'smtp refused\nat line 7');
     UPDATE pgq_jobs.ready SET body = '{\"to\":\"a@b\"}' WHERE lane = $(lane_of mail)"
pgq schedules list >/dev/null

# --- rows for pipes ---
expect_like "rows" "$(pgq top --once --queue default --format csv)" $'^at,count,count_capped,queue,entrypoint,status\r\n20[^,]*Z,2,false,default,mail,ready\r\n20[^,]*Z,1,false,default,mail,held\r\n20[^,]*Z,30,false,default,mail,done\r\n20[^,]*Z,3,false,default,mail,failed'
expect_like "a capped count" "$(pgq top --once)" ' 10 000\+ +orders +ship +ready'
pgq top --once --format json | python3 -m json.tool >/dev/null
expect "rows of two looks" "$(pgq top --interval 0.1 --count 2 --queue orders | grep -c ship)" 2
expect "statuses of a closed pipe" "$(set +o pipefail; "$pgq_program" --dsn "$PGQ_DSN" top --interval 0.1 2>"$work/stderr" | head -n 1 >/dev/null; echo "${PIPESTATUS[0]}")" 141
expect "stderr of a closed pipe" "$(cat "$work/stderr")" ''
refuses 2 '.*--interval' top --interval 0
refuses 2 '.*--count' top --count 0
refuses 2 '--last is not between' top --last 49h
refuses 3 '.*' top --once --dsn host=/nowhere

# --- lists, 80x24 ---
starts 80x24
shows '!!no worker  orders'
shows 'q quit'
has '[1 entrypoints !!2 !1]' || fail "the problems: $(screen)"
expect "rows of an 80x24 screen" "$(screen | wc -l)" 24
screen | grep -q $'\e' && fail "a control character reached the terminal"
has 'w\x1b[31m' && fail "the name lost a letter"
has $'w\u00e9ird\\x1b[31m' || fail "an escaped name: $(screen)"
press 2
shows '!late'
shows 'default/mail, d'
press 3
shows 'no schedule is declared'
press 4
shows 'smtp refused'
press Tab
shows 'oldest'
press BTab
shows 'smtp refused'
press 1
shows '[1 entrypoints'

# --- sorting, filter, moving ---
first_row() { screen | sed -n 5p; }
first_is() { first_row | grep -qF -- "$1"; }
press s
shows $'queue\u25b2'
wait_for 30 "the first queue by name" first_is default
press S
shows $'queue\u25bc'
wait_for 30 "the last queue by name" first_is $'w\u00e9ird'
press /
shows 'filter:'
press -l RePx
shows 'nothing matches the filter'
press BSpace Enter
wait_for 30 "the filtered row" first_is report
loses ship
press Escape
shows ship
press j j k Down Up PPage NPage End
chosen() { screen | grep -F $'\u25b8' | grep -qF -- "$1"; }
wait_for 30 "the last row chosen" chosen default
press Home
wait_for 30 "the first row chosen" chosen $'w\u00e9ird'

# --- a lane, a job, its payload ---
press / ; press -l mail; press Enter
wait_for 30 "the row of mail" first_is mail
press Enter
shows 'jobs of default/mail'
shows broken
press End Enter
shows 'failed attempts, latest first'
shows 'at line 7'
press Escape
shows 'jobs of default/mail'
press Home Enter
shows 'ready'
has 'a@b' && fail "the payload is shown before somebody asks"
press v
shows '{"to":"a@b"}'
press Escape
shows 'jobs of default/mail'

# --- actions ---
press c
shows '? y/n'
press n
shows 'nothing was changed'
press c
shows 'cancel job'
press y
shows 'cancelled 1 job'
expect "the jobs that are left" "$(sql "SELECT count(*) FROM pgq_jobs.ready WHERE lane = $(lane_of mail)")" 1
press Escape
shows 'Enter jobs'
press r
shows 'requeue 1 job of default/mail? y/n'
press y
shows 'requeued 1 job'
expect "ready again" "$(sql "SELECT count(*) FROM pgq_jobs.ready WHERE lane = $(lane_of mail)")" 2
press -l py # nobody has read the question when both come together
shows 'pause default/mail? y/n'
press n
shows 'nothing was changed'
expect "pauses" "$(sql "SELECT count(*) FROM pgq_jobs.paused")" 0
press p
shows 'pause default/mail? y/n'
press y
shows 'paused default/mail'
expect_like "the reason of the pause" "$(sql "SELECT reason FROM pgq_jobs.paused")" 'in pgq top'
shows '1 paused'
press p
shows 'resume default/mail? y/n'
press y
shows 'resumed default/mail'
press c
shows 'cancel all 2 jobs of default/mail? y/n'
press Escape
shows 'nothing was changed'

# --- help, interval, stop ---
press ?
shows 'stop updating, go on'
press x
loses 'stop updating, go on'
press +
shows 'every 2s'
press -
shows 'every 1s'
press Space
shows 'stopped; space goes on'
# No statement while it is stopped, for three intervals.
others="FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
is_idle() { [ "$(sql "SELECT count(*) $others AND state <> 'idle'")" = 0 ]; }
wait_for 30 "an idle session" is_idle
last_query() { sql "SELECT max(query_start) $others"; }
before=$(last_query)
is_later() { [ "$(sql "SELECT clock_timestamp() > '$before'::timestamptz + interval '3 s'")" = t ]; }
wait_for 30 "three seconds" is_later
expect "the time of the last statement" "$(last_query)" "$before"
press Space
loses 'stopped; space goes on'

# --- sizes ---
press Escape
shows ship
terminal resize-window -t top -x 200 -y 60
shows run99
has_trend() { screen | head -n 4 | grep -qF 'trend'; }
wait_for 30 "the columns of a wide screen" has_trend
expect "rows of a 200x60 screen" "$(screen | wc -l)" 60
expect_like "the times of mail" "$(screen | grep mail)" '48ms +64ms +1\.5s +2\.0s'
terminal resize-window -t top -x 40 -y 8
loses run99
shows ship
terminal resize-window -t top -x 80 -y 24
shows oldest
press q
ends_with 0

# --- a server that goes away and comes back: a proxy that this test stops and starts ---
cat >"$work/proxy.py" <<'PYTHON'
import os, select, socket, sys
here, there = sys.argv[1:]
server = socket.socket(socket.AF_UNIX)
server.bind(here)
server.listen()
pairs = {}
while True:
    for s in select.select([server, *pairs], [], [])[0]:
        if s is server:
            a, _ = server.accept()
            b = socket.socket(socket.AF_UNIX if there.startswith('/') else socket.AF_INET)
            b.connect(there if there.startswith('/') else tuple([there.split(':')[0], int(there.split(':')[1])]))
            pairs[a], pairs[b] = b, a
        elif s in pairs:
            data = s.recv(65536)
            if data: pairs[s].sendall(data)
            else:
                other = pairs.pop(s)
                pairs.pop(other, None)
                s.close(), other.close()
PYTHON
address=$(sql "SELECT coalesce(host(inet_server_addr()) || ':' || inet_server_port(),
                               split_part(current_setting('unix_socket_directories'), ',', 1) || '/.s.PGSQL.' || current_setting('port'))")
start_proxy() {
    rm -f "$work/.s.PGSQL.5432"
    python3 "$work/proxy.py" "$work/.s.PGSQL.5432" "$address" &
    proxy=$!
    wait_for 30 "the proxy" test -S "$work/.s.PGSQL.5432"
}
start_proxy
user=$(sql 'SELECT current_user') database=$(sql 'SELECT current_database()')
dsn="host=$work port=5432 user=$user dbname=$database" starts 80x24
shows ship
kill $proxy
shows 'not connected, since'
press 2
shows '!late' # keys answer, and the last numbers stay
press 1
shows 'not updated for'
start_proxy
loses 'not connected, since'
loses 'not updated for'
kill -STOP $proxy # a server that is silent
shows '! no answer for'
press 2
shows '!late'
press 1
kill -CONT $proxy
loses '! no answer for'
shows 'every 1s'
kill $proxy
shows 'not connected, since'
press q
ends_with 0

# --- read-only, without rights ---
starts 80x24 --read-only
shows read-only
press p
shows 'nothing was changed: pgq top runs with --read-only'
press r
press c
loses '? y/n'
press q
ends_with 0

# A reader sees all of it, and its actions are refused with the reason.
suffix="_top_$$"
roles=(--owner "own$suffix" --producer "pro$suffix" --worker "wor$suffix" --operator "ope$suffix" --reader "rea$suffix")
drop_roles() {
    sql "REASSIGN OWNED BY own$suffix TO CURRENT_USER" || true
    for role in own pro wor ope rea; do sql "DROP OWNED BY $role$suffix; DROP ROLE $role$suffix" || true; done
}
pgq install --roles "${roles[@]}" >/dev/null
trap 'terminal kill-server 2>/dev/null || true; drop_roles 2>/dev/null; rm -rf "$work"' EXIT
environment="PGOPTIONS=-crole=rea$suffix" starts 80x24
shows ship
press / ; press -l mail; press Enter Enter
shows 1000001 # the page has come
press Home Enter
shows 'entrypoint   default/mail'
press v
shows 'permission denied'
press c
shows 'cancel job'
press y
shows 'permission denied'
press q
ends_with 0

# --- colours, ASCII, signals, a strange terminal ---
colours() { terminal capture-pane -pe -t top | grep -cE $'\e\\[[0-9;]*3[0-7]m' || true; }
starts 80x24
shows ship
[ "$(colours)" -gt 0 ] || fail "no colours"
press C-c
ends_with 130
environment=NO_COLOR=1 starts 80x24
shows ship
expect "colours with NO_COLOR" "$(colours)" 0
terminal send-keys -t top q
ends_with 0
starts 80x24 --no-color
shows ship
expect "colours with --no-color" "$(colours)" 0
press q
ends_with 0
environment=LC_ALL=C starts 80x24
shows ship
shows 'w\u00e9ird'
shows 'state' # the sign of the order is a letter
expect "characters behind ASCII" "$(screen | LC_ALL=C grep -c $'[\x80-\xff]' || true)" 0
pane=$(terminal display-message -p -t top '#{pane_pid}')
kill -TERM "$(cat "/proc/$pane/task/$pane/children")"
ends_with 143
term=unknown-type starts 80x24
ends_with 2 'pgq: this terminal is of an unknown type; set TERM, or use --once'
starts 80x24 --count 2
ends_with 0
