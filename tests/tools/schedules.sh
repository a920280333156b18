#!/usr/bin/env bash
# schedules.sh PGQ: the sub-commands of schedules.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
pgq install >/dev/null
add_jobs default clean 0
add_jobs orders report 0

add_schedule() {  # QUEUE ENTRYPOINT NAME EXPRESSION ZONE NEXT [UNIQUE-KEY]
    sql "INSERT INTO pgq_jobs.schedule (queue, name, lane, expression, zone, jitter, missed_count, overlap, next_at,
             declared_at, priority, hold_expired, keep_for, unique_key, unique_rule, unique_period, headers, body)
         SELECT '$1', '$3', id, '$4', '$5', '0', 1, 'a', '$6', now(), 0, false, '0', '${7-}', 'ls', '0', '{}', '{}'
           FROM pgq_jobs.lane WHERE queue = '$1' AND entrypoint = '$2'"
}
add_schedule default clean nightly '30 2 * * *' UTC 2032-03-28T02:30Z
add_schedule default clean never '0 0 1 1 *' UTC infinity
add_schedule orders report hourly '@hourly' +05:45 2032-01-01T00:15Z

prints "\
queue    name     entrypoint  expression  zone    next                  last  last_job  paused_since  pause_reason
default  never    clean       0 0 1 1 *   UTC
default  nightly  clean       30 2 * * *  UTC     2032-03-28T02:30:00Z
orders   hourly   report      @hourly     +05:45  2032-01-01T00:15:00Z" schedules list
expect "lines of one queue" "$(pgq schedules list --queue orders --format csv | wc -l)" 2
ticks() { pgq schedules next "$@" --format csv | tr -d '\r' | cut -d, -f2,3; }
expect "ticks" "$(ticks -n 2)" 'name,at
nightly,2032-03-28T02:30:00Z
nightly,2032-03-29T02:30:00Z
hourly,2032-01-01T00:15:00Z
hourly,2032-01-01T01:15:00Z'
expect "ticks of one" "$(ticks nightly --count 1)" 'name,at
nightly,2032-03-28T02:30:00Z'
refuses 1 'there is no schedule "nigtly"; "pgq schedules list" shows all' schedules next nigtly
refuses 2 '.*--count' schedules next --count 0
# With time zones: on the last Sunday of March Berlin has no 02:30.
sql "UPDATE pgq_jobs.schedule SET zone = 'Europe/Berlin', next_at = '2032-03-27' WHERE name = 'nightly'"
if found=$(ticks nightly -n 3 2>"$work/stderr"); then
    expect "ticks in Berlin" "$found" 'name,at
nightly,2032-03-27T01:30:00Z
nightly,2032-03-28T01:00:00Z
nightly,2032-03-29T00:30:00Z'
else
    expect_like "a zone without its library" "$(cat "$work/stderr")" '^pgq: this pgq knows no time zone "Europe/Berlin"'
    echo "left out: this pgq has no time zones, because date is missing"
fi

found=$(pgq schedules fire hourly --queue orders)
expect_like "fire" "$found" '^schedule "hourly" of queue "orders" has enqueued job [0-9]+$'
expect "the job" "$(sql 'SELECT id FROM pgq_jobs.ready')" "${found##* }"
expect_like "the last job" "$(pgq schedules list --queue orders --format csv)" ",${found##* },"
prints 'schedule "nightly" of queue "default" is paused' schedules pause nightly --reason 'too slow'
expect_like "the reason" "$(pgq schedules list --format csv)" $',too slow\r'
expect "ticks of a paused one" "$(ticks nightly)" 'name,at'
refuses 1 'schedule "nightly" of queue "default" is paused already' schedules pause nightly --reason x
prints 'schedule "nightly" of queue "default" goes on' schedules resume nightly
refuses 1 'schedule "nightly" of queue "default" is not paused' schedules resume nightly
for change in fire resume remove 'pause --reason x'; do
    # shellcheck disable=SC2086
    refuses 1 'there is no schedule "hourly" of queue "default"; ' schedules $change hourly
done

left() { sql 'SELECT count(*) FROM pgq_jobs.schedule'; }
prints '1 schedule would be deleted: schedule "never" of queue "default"' schedules remove never --dry-run
refuses 5 'nothing was changed: there is no terminal to ask on' schedules remove never
expect_like "the question" "$(expect_exit 5 on_terminal no schedules remove never)" \
    'Delete schedule "never" of queue "default"\? \[y/N\]'
expect "schedules" "$(left)" 3
prints 'schedule "never" of queue "default" is deleted' schedules remove never --yes
expect "schedules" "$(left)" 2
on_terminal yes schedules remove nightly >/dev/null
expect "schedules" "$(left)" 1
