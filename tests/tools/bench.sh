#!/usr/bin/env bash
# bench.sh PGQ: what `pgq bench` prints, and that its schema is gone however it ends. The numbers themselves are those of
# the machine, so only their signs and their order are compared.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
short=(bench --yes --seconds 0.3 --jobs 2000 --batch 100)
schemas() { sql "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgq\\_bench\\_%'"; }
gone() { expect "schemas after $1" "$(schemas)" 0; }
there() { [ "$(schemas)" = 1 ]; }
fsync=$(sql 'SHOW fsync')

# The jobs of the operator are in another schema, and stay as they are.
pgq install >/dev/null
add_jobs mail send 3
before=$(sql 'SELECT md5(string_agg(r::text, $$;$$ ORDER BY id)) FROM pgq_jobs.ready r')

# Rows and numbers, in each format.
pgq "${short[@]}" --format json >"$work/json" 2>"$work/stderr"
if [ "$fsync" = off ]; then
    expect_like "the warning" "$(cat "$work/stderr")" '^pgq: fsync is off, '
else
    expect "stderr" "$(cat "$work/stderr")" ''
fi
gone "a run"
expect "the rows" "$(python3 - "$work/json" "$fsync" "$(sql 'SHOW server_version')" <<'PY'
import json, sys
rows = json.load(open(sys.argv[1]))
for r in rows:
    assert r["jobs"] > 0 and r["per_s"] > 0 and 0 < r["p50_ms"] <= r["p99_ms"], r
    assert (r["bytes"], r["batch"], r["workers"], r["threads"]) == (100, 100, 1, 1), r
    assert r["fsync"] == sys.argv[2] and r["server_version"] == sys.argv[3] and r["round_trip_ms"] > 0, r
    assert r["synchronous_commit"] == "on", r
one, many, drained, start = rows
assert one["jobs"] <= 2000 and many["jobs"] <= 2000 and many["jobs"] % 100 == 0, rows
assert drained["jobs"] <= one["jobs"] + many["jobs"] + 1, rows  # and the job that made the lane
assert 0.02 < one["per_s"] * one["p50_ms"] / 1000 < 20, one
print([r["what"] for r in rows])
PY
)" "['enqueue one by one', 'enqueue in batches', 'drain', 'start of a job']"

shown=$(pgq "${short[@]}" --workers 2 --threads 2 --bytes 32 2>/dev/null)
expect_like "the server" "$shown" \
    "^PostgreSQL [0-9].*, synchronous_commit on, fsync $fsync, round trip [0-9.]+ ms; payloads of 32 bytes, batches of 100, 2 workers of 2 threads"$'\n\n'
expect_like "the table" "$shown" $'\nwhat +jobs +per_s +p50_ms +p99_ms\nenqueue one by one +[0-9]'
pgq "${short[@]}" --format csv >"$work/csv" 2>/dev/null
expect "CSV" "$(head -n 1 "$work/csv" | tr -d '\r')" \
    what,jobs,per_s,p50_ms,p99_ms,bytes,batch,workers,threads,server_version,synchronous_commit,fsync,round_trip_ms
expect "lines of CSV" "$(wc -l <"$work/csv")" 5
expect_like "Markdown" "$(pgq "${short[@]}" --format markdown 2>/dev/null)" \
    $'\n\n\\| what \\| jobs \\| per\\\\_s \\| p50\\\\_ms \\| p99\\\\_ms \\|\n'
gone "each format"

# The settings of the user are those of the run.
expect_like "the settings of the server" \
    "$(PGOPTIONS='-c synchronous_commit=off' pgq "${short[@]}" --format csv 2>/dev/null)" ',off,'"$fsync"

# Nobody asked, or the answer is no.
refuses 5 'bench loads the server for about 2 seconds, and stores up to 3 MB; there is no terminal to ask on; --yes answers yes' \
    bench --seconds 0.3 --jobs 2000
expect_like "the question" "$(on_terminal n bench || echo "status $?")" \
    'bench loads the server for about 20 seconds, and stores up to 101 MB. Begin\? \[y/N\] .*nothing was changed.*status 5'
expect_like "the answer yes" "$(on_terminal y "${short[@]:0:1}" "${short[@]:2}")" '2 of 4: enqueue in batches \.\.\..*start of a job'
gone "an answer"

# Wrong use.
refuses 2 '.*--seconds' bench --seconds 0
refuses 2 '.*--jobs' bench --jobs 0
refuses 2 '.*--batch' bench --batch 20000
refuses 2 '.*--bytes' bench --bytes 31
refuses 2 '.*--workers' bench --workers 0
refuses 2 '.*--threads' bench --threads 1000
refuses 2 '--batch is larger than --jobs; ' bench --jobs 10
refuses 2 'a batch would have more than 64 MB; ' bench --jobs 10000 --batch 10000 --bytes 10000
refuses 3 'connect: .*/nowhere' bench --yes --dsn host=/nowhere

# A server that is read-only; a role without rights.
PGOPTIONS='-c default_transaction_read_only=on' refuses 3 'the server is a standby, or read-only' "${short[@]}"
role=bench_$$_$RANDOM
sql "CREATE ROLE $role"
PGOPTIONS="-c role=$role" refuses 3 "permission denied to create a schema in the database .*; GRANT CREATE ON DATABASE .* TO $role" \
    "${short[@]}"
sql "GRANT CREATE ON DATABASE \"$(sql 'SELECT current_database()')\" TO $role"
PGOPTIONS="-c role=$role" pgq "${short[@]}" >/dev/null 2>&1
gone "a run of a role that owns nothing"
sql "DROP OWNED BY $role"
sql "DROP ROLE $role"

# Ended by a signal in the middle, it deletes the schema first, and the caller sees the signal.
for signal in TERM INT HUP; do
    # `&` of a script makes SIGINT ignored; python gives it back its effect.
    python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$pgq_program" --dsn "$PGQ_DSN" bench --yes --seconds 600 --jobs 10000000 \
        </dev/null >"$work/stdout" 2>"$work/stderr" &
    running=$!
    wait_for 60 "the schema of the run" there
    kill -s "$signal" "$running"
    status=0
    { wait "$running"; } 2>/dev/null || status=$?  # bash would say "Hangup"
    expect "exit status after SIG$signal" "$status" $((128 + $(kill -l "$signal")))
    expect "stdout after SIG$signal" "$(cat "$work/stdout")" ''
    expect_like "stderr after SIG$signal" "$(cat "$work/stderr")" '^pgq: interrupted; '
    gone "SIG$signal"
done

# start_long: a run that takes long, in the background, with a schema that has jobs; sets `running` and `schema`.
has_jobs() { [ "$(sql "SELECT EXISTS (SELECT FROM $schema.ready)")" = t ]; }
start_long() {
    "$pgq_program" --dsn "$PGQ_DSN" bench --yes --seconds 600 --jobs 10000000 </dev/null >"$work/stdout" 2>"$work/stderr" &
    running=$!
    wait_for 60 "the schema of the run" there
    schema=$(sql "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'pgq\\_bench\\_%'")
    wait_for 60 "jobs of the run" has_jobs
}

# The server ends the sessions of the run: another connection deletes the schema. A session that ends between two calls
# is replaced without a word, so the server does it until a call fails.
sessions_end() {
    sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()" >/dev/null
    [ -z "$(jobs -r)" ]
}
start_long
wait_for 60 "the end of the run" sessions_end
status=0
wait "$running" || status=$?
expect "exit status after a lost connection" "$status" 3
expect_like "stderr after a lost connection" "$(cat "$work/stderr")" '^pgq: .*; check that the server runs'
expect "stdout after a lost connection" "$(cat "$work/stdout")" ''
gone "a lost connection"

# An error in the middle: the table of the jobs is taken away. Until then payloads have the size that the line says.
start_long
expect "bytes of payloads" "$(sql "SELECT min(octet_length(body)), max(octet_length(body)) FROM $schema.ready")" '100|100'
sql "ALTER TABLE $schema.ready RENAME TO elsewhere"
status=0
wait "$running" || status=$?
[ "$status" != 0 ] || fail "an enqueue without a table is no error"
expect "stdout after an error" "$(cat "$work/stdout")" ''

# A schema with more than pgq's own objects is not deleted: stderr has its name, and what deletes it.
expect_like "what is left" "$(cat "$work/stderr")" "pgq: the schema $schema is left: .*; delete it with \"pgq uninstall --force --schema $schema\""
sql "ALTER TABLE $schema.elsewhere RENAME TO ready"
pgq uninstall --yes --force --schema "$schema" >/dev/null
gone "the remedy"

# The reader of the output, or of the errors, has gone.
status=0
"$pgq_program" --dsn "$PGQ_DSN" "${short[@]}" 2>/dev/null </dev/null | true || status=${PIPESTATUS[0]}
expect "exit status of a closed pipe" "$status" 141
gone "a closed pipe"
"$pgq_program" --dsn "$PGQ_DSN" -v "${short[@]}" 2>&1 >/dev/null </dev/null | head -n 3 >/dev/null || true
gone "a closed pipe of statements"

expect "the jobs of the operator" "$(sql 'SELECT md5(string_agg(r::text, $$;$$ ORDER BY id)) FROM pgq_jobs.ready r')" "$before"
