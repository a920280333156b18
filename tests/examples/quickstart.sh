#!/usr/bin/env bash
# quickstart.sh QUICKSTART: counts the words of files whose words the test knows.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"
quickstart=$1
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT

mkdir -p "$files/few/deep er" "$files/many"
for i in {1..296}; do echo "Apple pear, APPLE: x 12 pear_apple" >"$files/few/deep er/$i.txt"; done
: >"$files/few/empty"
printf 'apple\0apple' >"$files/few/binary"
printf 'apple' | tee "$files/few/name in ÄÖÜ" >"$files/few/'quoted\"\\"
printf 'apple' | tee "$files/few/left out.gz" >"$files/few/$(printf 'no utf-8 \xff')"
ln -s empty "$files/few/link"
for i in {1..6000}; do echo "plum $i" >"$files/many/$i"; done

schemas_left() { sql "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'quickstart%'"; }

found=$("$quickstart" --files "$files/few" --workers 2)
echo "$found"
expect_like "the last line" "${found##*$'\n'}" '^quickstart: 302 jobs done, 0 lost, [0-9]+ jobs/s$'
expect_like "the first word" "$found" $'\n +890  apple\n +592  pear\n'
expect_like "the sum" "$found" '1482 words in 299 texts, 2 different'
expect_like "the check" "$found" 'counting without a queue gives the same'
expect "schemas left" "$(schemas_left)" 0

mkdir "$files/none"
found=$("$quickstart" --files "$files/none" --workers 1)
expect_like "the last line without files" "${found##*$'\n'}" '^quickstart: 2 jobs done, 0 lost, '

# The test deletes jobs from the queue.
delete_jobs() {
    local schema
    schema=$(sql "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'quickstart%jobs'")
    [ "$(sql "WITH deleted AS (DELETE FROM $schema.ready RETURNING 1) SELECT count(*) > 0 FROM deleted")" = t ]
}
"$quickstart" --files "$files/many" --workers 1 >"$files/out" 2>&1 &
wait_for 30 "jobs to delete" delete_jobs
expect_exit 1 wait $!
expect_like "the last line of a run that lost jobs" "$(tail -n 1 "$files/out")" \
    '^quickstart: [0-9]+ jobs done, [1-9][0-9]* lost, [0-9]+ jobs/s$'
expect "schemas left by a run that lost jobs" "$(schemas_left)" 0

# After TERM in the middle of a run, the program stops its workers and drops its tables.
has_started() { [ "$(schemas_left)" = 2 ]; }
"$quickstart" --files "$files/many" --workers 2 >"$files/out" 2>&1 &
wait_for 30 "its tables" has_started
kill -TERM $!
status=0
wait $! || status=$?
expect_like "exit status after TERM" "$status" '^(130|0)$' # 0: it ended before the signal
expect "schemas left after TERM" "$(schemas_left)" 0
expect "connections left" "$(sql 'SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND backend_type = '"'client backend'")" 0

expect_exit 1 "$quickstart" --files "$files/not there" 2>/dev/null
expect_exit 1 "$quickstart" --workers 0 2>/dev/null
output=$(expect_exit 1 "$quickstart" --dsn host=/nowhere 2>&1)
expect_like "the error without a server" "$output" '^quickstart: .*/nowhere'
