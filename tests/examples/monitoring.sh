#!/usr/bin/env bash
# monitoring.sh MONITORING: a Prometheus scrapes two workers and the program for the database, and answers the
# expressions of docs/monitoring/alerts.yml. promtool checks what they expose.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
monitoring=$1
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
running=()
cleanup() {
    [ ${#running[@]} = 0 ] || kill "${running[@]}" 2>/dev/null || true
    wait || true
    rm -rf "$work"
}
trap cleanup EXIT

start() {  # NAME WHAT: runs the program; its port goes to $port
    "$monitoring" "$2" 0 >"$work/$1" &
    running+=($!)
    wait_for 60 "the port of the $1" grep -q 'port [0-9]' "$work/$1"
    port=$(sed -n 's/.*port //p' "$work/$1")
}
get() {  # PORT PATH: the answer to a GET
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
    cat <&3
    exec 3>&-
}
body() { get "$@" | tr -d '\r' | sed '1,/^$/d'; }

# Ten of a hundred parcels fail twice, so they are held.
"$monitoring" enqueue 100
targets=()
for name in worker-1:worker worker-2:worker watcher:database; do
    start "${name%:*}" "${name#*:}"
    targets+=("127.0.0.1:$port")
done
database=${targets[2]#*:}
all_done() { [ "$(sql "SELECT count(*) FILTER (WHERE state <> 'held'), count(*) FROM pgq_jobs.job")" = '0|10' ]; }
wait_for 60 "ten held jobs" all_done
expect_like "the held jobs" "$(body "$database" /metrics)" 'pgq_queue_jobs\{queue="default",entrypoint="parcel",state="held"\} 10'
expect_like "the limit" "$(body "$database" /metrics)" \
    'pgq_limit_max\{queue="default",entrypoint="parcel",kind="running",number="0"\} 6'
expect_like "the waits" "$(body "${targets[0]#*:}" /metrics)" 'pgq_job_wait_seconds_count\{queue="default",entrypoint="parcel"\} [0-9]'
finished() {  # OUTCOME: the sum over both workers
    local target
    for target in "${targets[@]:0:2}"; do body "${target#*:}" /metrics; done |
        awk -v word="outcome=\"$1\"" '/^pgq_attempts_finished_total/ && index($0, word) { n += $NF } END { print n + 0 }'
}
expect "done" "$(finished done)" 90
expect "retried" "$(finished retry)" 10
expect "held" "$(finished hold)" 10

# The package of Debian starts a server when it is installed, so it is only unpacked.
has_prometheus() {
    ! command -v prometheus >/dev/null || ! command -v promtool >/dev/null || return 0
    (cd "$work" && apt-get download prometheus && dpkg -x prometheus_*.deb unpacked) >/dev/null 2>&1 || return 1
    PATH=$work/unpacked/usr/bin:$PATH
}
if ! has_prometheus; then
    echo "left out: Prometheus is not installed and cannot be downloaded (Debian: prometheus)"
    exit 0
fi
for target in "${targets[@]}"; do
    said=$(body "${target#*:}" /metrics | promtool check metrics 2>&1) || fail "promtool on $target: $said"
    expect "what promtool says" "$said" ''
done

cat >"$work/prometheus.yml" <<END
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ['$root/docs/monitoring/alerts.yml']
scrape_configs:
  - job_name: pgq
    static_configs: [{ targets: [$(printf "'%s', " "${targets[@]}")] }]
END
promtool check config "$work/prometheus.yml" >/dev/null
server=$((20000 + RANDOM % 20000))
while (exec 3<>"/dev/tcp/127.0.0.1/$server") 2>/dev/null; do server=$((server + 1)); done
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/data" --web.listen-address="127.0.0.1:$server" \
    >"$work/prometheus.log" 2>&1 &
running+=($!)
ready() { [[ $(get "$server" /-/ready) == *'200 OK'* ]]; }
wait_for 120 "Prometheus" ready

query() { promtool query instant "http://127.0.0.1:$server" "$1"; }
rule() {  # ALERT: its expression
    python3 -c '
import json, sys
for group in json.load(sys.stdin)["data"]["groups"]:
    for rule in group["rules"]:
        if rule["name"] == sys.argv[1]:
            print(rule["query"])' "$1" < <(body "$server" /api/v1/rules)
}
answers() { [[ $(query "$1") =~ $2 ]]; }
all_scraped() { [ "$(query 'up == 1' | wc -l)" = 3 ]; }
wait_for 120 "three scraped targets" all_scraped

# Every expression of the dashboard is one that Prometheus accepts, and those about jobs have an answer.
python3 -c '
import json, sys
for panel in json.load(open(sys.argv[1]))["panels"]:
    for target in panel["targets"]:
        print(target["expr"].replace("$__rate_interval", "1m").replace("$queue", ".*").replace("$entrypoint", ".*"))
' "$root/docs/monitoring/dashboard.json" >"$work/expressions"
expect_like "the expressions of the dashboard" "$(wc -l <"$work/expressions")" '^[2-9][0-9]$'
while read -r expression; do
    answer=$(query "$expression" 2>&1) || fail "$expression: $answer"
    case $expression in
    *pgq_schedule_* | *rate* | *increase*) ;; # there are no schedules, and rates need a while
    *) expect_like "$expression" "$answer" '=> ' ;;
    esac
done <"$work/expressions"

# Three rules: one that fires, one that does not until the database is gone, one over both workers.
wait_for 60 "the held jobs in Prometheus" answers "$(rule PgqJobsHeld)" '\{entrypoint="parcel", queue="default"\} => 10 '
expect "workers that are missing" "$(query "$(rule PgqNoWorker)")" ''
failing=$(rule PgqAttemptsFail)
more() { "$monitoring" enqueue 100 && answers "$failing" '\{entrypoint="parcel", queue="default"\} => 0\.1[0-9]*'; }
wait_for 120 "the share of attempts that fail" more
wait_for 60 "the alert" answers 'ALERTS{alertname="PgqJobsHeld"}' 'alertstate="pending"'
expect "a database that is not readable" "$(query "$(rule PgqDatabaseNotReadable)")" ''
kill "${running[@]:0:2}" # both workers retire
no_worker="$(rule PgqNoWorker)"
nobody() { "$monitoring" enqueue 1 && answers "$no_worker" '\{\} => 0 '; }
wait_for 60 "that no worker runs" nobody
