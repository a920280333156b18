#!/usr/bin/env bash
# service.sh SERVICE: examples/service.cpp, a program with the sub-commands of pgq and with jobs of its own.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
service() { pgq "$@"; }

# It has its own name everywhere.
expect_like "help" "$(service --help)" $'^Makes pictures smaller\\.\n\nUsage: service COMMAND .*\n  run .*\n  enqueue .*\n  install '
expect_like "help of one" "$(service enqueue --help)" $'Usage: service enqueue \\[OPTIONS\\] ENTRYPOINT JSON\n.*One of "report", "resize".*"service --help" has'
expect_like "the version" "$(service --version)" '^service 1\.0 \(pgq [0-9.]+\)$'
expect_like "the manual page" "$(service man)" '^\.TH SERVICE 1 .*\.B 78.*service install'
service completion bash >"$work/bash"
# shellcheck disable=SC2034,SC1091
expect "completion" "$(. "$work/bash"; COMP_WORDS=(service enqueue --prio) COMP_CWORD=2; _service; echo "${COMPREPLY[*]}")" --priority
for shell in bash zsh fish; do
    ! service completion $shell | grep -E '(_|complete -c |compdef )pgq' || fail "the completion of $shell is one of pgq"
done
refuses 2 '.*--bogus.*; see "service run --help"' run --bogus
refuses 2 '.*--threads.*' run --threads 0
refuses 2 '.*"never" is not one of stopped.empty.drained' run --until never

# Without tables.
refuses 78 'part 1 failed: there are no pgq tables in schema "pgq_jobs"; run "service install", or name' run
refuses 4 '.*run "service install"' enqueue report '{"about":"x"}'
expect_like "install" "$(service install)" '^schema "pgq_jobs" has version [0-9]+$'

# A wrong job: the member, and what to do. Nothing is enqueued.
members='the members of this job are "path", "edge"'
refuses 2 "this is no job of \"resize\": \\$\\.egde: the job type has no such member; $members" enqueue resize '{"path":"a","edge":1,"egde":2}'
refuses 2 "this is no job of \"resize\": \\$\\.edge: the payload lacks it; $members; --defaults leaves out" enqueue resize '{"path":"a"}'
refuses 2 "this is no job of \"resize\": \\$\\.edge: expected an integer, found a string; $members" enqueue resize '{"path":"a","edge":"1"}'
refuses 2 '.*not JSON at byte 21: extra bytes after the value; give one JSON object' enqueue resize '{"path":"a","edge":1}x'
refuses 2 '.*not JSON at byte .*; give one JSON object' enqueue resize ''
refuses 2 '.*JSON is required' enqueue resize
refuses 1 'this program has no entrypoint "resiz"; it has "report", "resize"' enqueue resiz '{}'
refuses 2 '.*"tomorrow" is no point in time; write 2026-' enqueue report '{"about":"a"}' --at tomorrow
refuses 2 '.*"5" is no time; write 500ms' enqueue report '{"about":"a"}' --delay 5
refuses 2 '.*--header x has no name; write --header NAME=VALUE' enqueue report '{"about":"a"}' --header x
refuses 2 '.*"0x3" is no whole number' enqueue report '{"about":"a"}' --priority 0x3
refuses 2 '.*a priority is out of range; give a number from' enqueue report '{"about":"a"}' --priority 40000
refuses 2 '.*--unique' enqueue report '{"about":"a"}' --if-duplicate fail
refuses 3 'connect: .*/nowhere' enqueue report '{"about":"a"}' --dsn host=/nowhere
expect "jobs" "$(sql 'SELECT count(*) FROM pgq_jobs.job')" 0

# Right ones, with their options.
job() { sql "SELECT $2 FROM pgq_jobs.job WHERE id = $1"; }
first=$(service enqueue resize '{"edge":7,"path":"cat.jpg"}')
expect "the body" "$(job "$first" "queue || ' ' || convert_from(body, 'UTF8')")" 'pictures {"path":"cat.jpg","edge":7}'
id=$(service enqueue resize '{"path":"dog.jpg"}' --defaults --priority 3 --header tenant=a=b --header x=)
expect "the options" "$(job "$id" "priority || ' ' || (headers ->> 'tenant') || (headers ->> 'x') || ' ' || convert_from(body, 'UTF8')")" \
    '3 a=b {"path":"dog.jpg","edge":256}'
late=$(echo '{"about":"late"}' | "$pgq_program" --dsn "$PGQ_DSN" enqueue report - --at 2099-01-01T02:00:00.5+02:00)
expect "a late job from standard input" "$(job "$late" "state || ' ' || extract(epoch FROM run_at)")" 'deferred 4070908800.500000'
expect "how late" "$(job "$(service enqueue report '{"about":"later"}' --delay 2h)" "round(extract(epoch FROM run_at - now()) / 3600)")" 2
unique=$(service enqueue report '{"about":"one"}' --unique key)
expect "a duplicate" "$(service enqueue report '{"about":"two"}' --unique key 2>"$work/said")" "$unique"
expect_like "what it says" "$(cat "$work/said")" '^service: nothing was enqueued: a job has this key'
refuses 1 '.*key' enqueue report '{"about":"two"}' --unique key --if-duplicate fail
expect_like "JSON" "$(service enqueue report '{"about":"two"}' --unique key --format json)" "\"id\":$unique,\"is_new\":false"
other=$(service enqueue report '{"about":"other"}' --queue other)
expect "another queue" "$(job "$other" queue)" other
expect_like "a listing" "$(service queues --format csv)" $'other,report,1,.*\npictures,report,1,.*\npictures,resize,2,'

# The worker: it runs the jobs of its queue, answers for its health, and ends with SIGTERM.
port=$((20000 + RANDOM % 20000))
while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
"$pgq_program" --dsn "$PGQ_DSN" run --threads 2 --health-port $port >"$work/out" 2>"$work/err" </dev/null &
worker=$!
is_ready() { (exec 3<>"/dev/tcp/127.0.0.1/$port"; printf 'GET /readyz HTTP/1.1\r\n\r\n' >&3; grep -q '200 OK' <&3) 2>/dev/null; }
wait_for 30 "readiness" is_ready
expect_like "health" "$(service health)" 'workers  *ok  *1 worker alive'
is_done() { [ "$(sql "SELECT count(*) FROM pgq_jobs.job WHERE queue = 'pictures' AND state <> 'deferred'")" = 0 ]; }
wait_for 30 "the end of the jobs" is_done
begun=$SECONDS
kill -s TERM $worker
expect_exit 0 wait $worker
[ $((SECONDS - begun)) -lt 15 ] || fail "it took $((SECONDS - begun)) s to end"
expect "what the handlers print" "$(sort "$work/out")" $'resized cat.jpg\nresized dog.jpg\nresized one'
expect "what the worker says" "$(cat "$work/err")" ''
expect "registered workers" "$(sql 'SELECT count(*) FROM pgq_jobs.worker')" 0
expect "jobs of other queues and times" "$(sql 'SELECT count(*) FROM pgq_jobs.job')" 3

# It ends by itself; a failed job keeps its reason; another queue is another worker's.
service enqueue resize '{"path":"dot.jpg","edge":0}' >/dev/null
expect "another queue" "$(service run --until empty --queue other)" 'resized other'
expect "until empty" "$(service run --until empty)" ''
expect_like "the failed attempt" "$(sql "SELECT reason FROM pgq_jobs.job WHERE entrypoint = 'resize'")" 'a picture has no edge of 0'
"$pgq_program" --schema elsewhere --dsn "$PGQ_DSN" install >/dev/null
service enqueue report '{"about":"elsewhere"}' --schema elsewhere >/dev/null
expect "another schema" "$(service run --until drained --schema elsewhere)" 'resized elsewhere'
refuses 78 'part 1 failed: .*no pgq tables in schema "nowhere"' run --schema nowhere
