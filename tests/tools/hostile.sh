#!/usr/bin/env bash
# hostile.sh PGQ: names and reasons with control characters, markup, quotes and wide characters, in each format.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
pgq install >/dev/null

add() {  # QUEUE ENTRYPOINT, as C strings
    sql "INSERT INTO pgq_jobs.lane (queue, entrypoint) VALUES (E'$1', E'$2')"
}
add 'a\x1b[31mred' 'two\nlines'
add 'b\u202egnp.exe' 'c1\u009b31m'
add 'c<script>|*_`' '"quoted", \\'
add '日本語' 'e\u0301'
add 'plain' 'end'
listing() { pgq limits "$@"; }
sql "INSERT INTO pgq_jobs.lane_limit (queue, entrypoint, kind, amount) SELECT queue, entrypoint, 'c', 1 FROM pgq_jobs.lane"

# Nothing that a terminal obeys, and the columns stand under each other: CJK characters are two columns wide.
expect "table" "$(pgq limits | LC_ALL=C sort | awk '{ sub(/ +[0-9 ]+$/, ""); print }')" "\
a\\x1b[31mred    two\\nlines   running
b\\u202egnp.exe  c1\\x9b31m    running
c<script>|*_\`   \"quoted\", \\  running
plain           end          running
queue           entrypoint   kind     number  allowed  used  per_s
日本語          é            running"
expect "markdown" "$(pgq limits --format markdown | LC_ALL=C sort | sed -n '1,4p' | cut -d'|' -f 2-)" "\
 a\\\\x1b\\[31mred | two\\\\nlines | running | 0 | 1 | 0 |  |
 b\\\\u202egnp.exe | c1\\\\x9b31m | running | 0 | 1 | 0 |  |
 c&lt;script>\\|\\*\\_\\\` | \"quoted\", \\\\ | running | 0 | 1 | 0 |  |
 plain | end | running | 0 | 1 | 0 |  |"

# JSON has the names as they are, and no raw control character.
pgq limits --format json >"$work/json"
expect "names as JSON" "$(python3 -c '
import json, sys
rows = {r["queue"]: r["entrypoint"] for r in json.load(open(sys.argv[1]))}
assert rows == {"a\x1b[31mred": "two\nlines", "b\u202egnp.exe": "c1\u009b31m", "c<script>|*_`": "\"quoted\", \\",
                "日本語": "e\u0301", "plain": "end"}, rows
text = open(sys.argv[1], encoding="utf-8").read()
print(sorted({hex(ord(c)) for c in text if (ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0 or c == "\u202e") and c != "\n"}))
' "$work/json")" '[]'

# CSV has them as they are for a program, and escaped for a terminal.
pgq limits --format csv >"$work/csv"
expect "names as CSV" "$(python3 -c '
import csv, sys
rows = {r["queue"]: r["entrypoint"] for r in csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8"))}
print(rows == {"a\x1b[31mred": "two\nlines", "b\u202egnp.exe": "c1\u009b31m", "c<script>|*_`": "\"quoted\", \\",
               "日本語": "e\u0301", "plain": "end"})
' "$work/csv")" True
for format in table csv json markdown; do
    shown=$(on_terminal '' limits --no-color --format $format)
    [[ $shown != *$'\x1b'* && $shown != *$'\xc2\x9b'* && $shown != *$'\xe2\x80\xae'* ]] ||
        fail "$format drives the terminal"
done

# Reasons, headers, keys, hosts and payloads are texts of others, too.
sql "INSERT INTO pgq_jobs.deferred (id, kind, run_at, reason, rank, lane, body, headers, key)
     SELECT 7, 'h', 'infinity', E'\x1b[2J|<b>\u009b\u202e', -1, id, convert_to(E'{\"a\":\"\u009b\u202e\u0007\"}', 'utf8'),
            E'{\"h\u202e\":\"\\\\u001b[2J\u009b\"}', E'k\x1b[31m' FROM pgq_jobs.lane WHERE queue LIKE 'a%'"
sql "INSERT INTO pgq_jobs.worker (id, lease_time, host, pid, version, lanes)
     SELECT 7, '1 h', E'h\x1b[2J', 1, E'v\u202e', ARRAY[id] FROM pgq_jobs.lane WHERE queue LIKE 'a%'"
expect_like "a job" "$(pgq jobs show 7 --payload)" $'\nreason +\\\\x1b\\[2J\\|<b>\\\\x9b\\\\u202e\nheaders +\\{"h\\\\u202e":"\\\\u001b\\[2J\\\\u009b"\\}\nkey +k\\\\x1b\\[31m'
expect_like "a group" "$(pgq failed list --format markdown)" '\\\\x1b\\\[2J\\\|&lt;b>\\\\x9b\\\\u202e \|'
for line in 'jobs list' 'jobs show 7 --payload' 'failed list' 'failed show' workers doctor; do
    for format in table csv json markdown; do
        # shellcheck disable=SC2086
        shown=$(on_terminal '' $line --no-color --format $format)
        [[ $shown != *$'\x1b'* && $shown != *$'\xc2\x9b'* && $shown != *$'\xe2\x80\xae'* && $shown != *$'\x07'* ]] ||
            fail "$line as $format drives the terminal"
        [ -n "$shown" ] || fail "$line as $format shows nothing"
    done
done
refuses 1 'there is no queue "\\x1b\[2J"' jobs cancel --queue $'\x1b[2J' --yes
prints '0 jobs matched: 0 cancelled, 0 skipped' jobs cancel --reason "'; DROP SCHEMA pgq_jobs CASCADE; --" --yes
prints '0 jobs matched: 0 cancelled, 0 skipped' jobs cancel --header "x=' OR true; --" --yes
refuses 2 'a text of the selection has a zero byte or invalid UTF-8' jobs list --reason $'\xff'
sql 'DELETE FROM pgq_jobs.deferred'

# Names from the line, in sentences and in errors.
prints 'queue "a\x1b[31mred" is paused' pause $'a\x1b[31mred' --reason $'it\x07beeps'
expect "the reason" "$(sql 'SELECT reason FROM pgq_jobs.paused')" $'it\x07beeps'
refuses 1 'there is no queue "\\x1b\[2J"; there are .*"b\\u202egnp.exe"' pause $'\x1b[2J' --reason x
refuses 2 '.*\\x1b\[2J' $'\x1b[2J'
refuses 2 'the name of a queue or entrypoint has a zero byte or invalid UTF-8' pause $'\xff' --reason x
for name in "x'; DROP SCHEMA pgq_jobs CASCADE; --" '"; DROP SCHEMA pgq_jobs CASCADE; --' '$pgq$' '{s}' '%s%n' '\'; do
    refuses 1 'there is no queue' pause "$name" --reason "$name"
    prints "queue \"${name//\"/\"\"}\" is paused" pause "$name" --new --reason "$name"
    expect "the reason of $name" "$(sql "SELECT reason FROM pgq_jobs.paused ORDER BY since DESC LIMIT 1")" "$name"
    prints "queue \"${name//\"/\"\"}\" goes on" resume "$name"
    refuses 4 '.*there are no pgq tables' queues --schema "$name"
    refuses 4 '.*there are no pgq tables' uninstall --yes --schema "$name"
done
expect "schemas" "$(sql "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgq_jobs'")" 1
