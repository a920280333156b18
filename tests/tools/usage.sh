#!/usr/bin/env bash
# usage.sh PGQ: the line itself: options, wrong use, no server, help, completion, the manual page.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Wrong use, without a look at the database.
refuses 2 '[Aa] subcommand is required.*; see "pgq --help"'
refuses 2 '.*quit.*; see "pgq --help"' quit
refuses 2 '.*--bogus.*; see "pgq queues --help"' queues --bogus
refuses 2 '.*; see "pgq schedules --help"' schedules
refuses 2 '.*"xml" is not one of table.json.csv.markdown' queues --format xml
refuses 2 '.*"10" is no time; write 500ms' queues --statement-timeout 10
refuses 2 '.*--dsn.*' queues --dsn
refuses 2 '.*' queues --dsn 'no such word'
refuses 2 "a schema's name is" queues --schema ''

# Numbers are decimal, and none is clamped.
refuses 2 '.*"0x10" is no whole number' jobs list --limit 0x10
refuses 2 '.*"9223372036854775808" is no whole number' jobs show 9223372036854775808
refuses 2 '.*' queues --watch nan
refuses 2 '.*more than 500h' queues --statement-timeout 1000h
refuses 2 '.*its text is empty' pause shop '' --reason x
refuses 2 '.*its text is empty' resume shop ''
refuses 2 '.*its text is empty' limits set shop '' --amount 3
refuses 2 '.*longer than zero' limits set shop --kind rate --per 0s --amount 3

# No server, no database, no such user.
refuses 3 'connect: .*/nowhere' queues --dsn host=/nowhere
refuses 3 'connect: .*/nowhere' verify --dsn host=/nowhere
refuses 3 '.*/nowhere' install --dsn host=/nowhere
refuses 3 '.*"no such database" does not exist' queues --dsn "$PGQ_DSN dbname='no such database'"
PGSERVICEFILE=$work/services refuses 3 '.*' queues --dsn service=nowhere

# The environment and the service file of libpq are enough.
pgq install >/dev/null
{ echo '[jobs]'; psql -X -q "$PGQ_DSN" <<<$'\\echo host=:HOST\n\\echo port=:PORT\n\\echo user=:USER\n\\echo dbname=:DBNAME'; } >"$work/services"
PGSERVICEFILE=$work/services PGSERVICE=jobs "$pgq_program" verify >/dev/null

# Global options stand before or behind.
expect "options before" "$(pgq --format json --schema pgq_jobs queues)" '[]'
expect "options behind" "$(pgq queues --schema pgq_jobs --format json)" '[]'
expect "options behind the second word" "$(pgq schedules list --format json)" '[]'
expect "an option in one word" "$(pgq queues --format=json)" '[]'
expect_like "the version" "$(pgq --version)" '^pgq [0-9]+\.[0-9]+\.[0-9]+$'
expect "the version behind" "$(pgq queues --version)" "$(pgq --version)"
expect_like "statements" "$(pgq -v queues 2>&1 >/dev/null)" '-- .*FROM "pgq_jobs".lane'
expect "without -v" "$(pgq queues 2>&1 >/dev/null)" ''

# The limit of a statement is the server's.
psql -X -q "$PGQ_DSN" -c 'BEGIN; LOCK TABLE pgq_jobs.lane; SELECT pg_sleep(600)' >/dev/null 2>&1 &
holder=$!
is_locked() { [ "$(sql "SELECT count(*) FROM pg_locks WHERE relation = 'pgq_jobs.lane'::regclass AND mode = 'AccessExclusiveLock' AND granted")" = 1 ]; }
wait_for 30 "the lock" is_locked
refuses 3 '.*canceling statement due to statement timeout; give it more time with --statement-timeout' \
    queues --statement-timeout 50ms
sql "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'pgq_jobs.lane'::regclass" >/dev/null
wait "$holder" 2>/dev/null || true

# A read-only server lets nobody write, and lets everybody read.
export PGOPTIONS='-c default_transaction_read_only=on'
refuses 3 '.*read-only transaction' pause --all --reason x
expect "a listing of a read-only server" "$(pgq queues --format json)" '[]'
unset PGOPTIONS

# Colours are for a terminal alone.
bold=$'\x1b[1m'
expect_like "a header on a terminal" "$(on_terminal '' limits)" "$(printf '%q' "$bold" | head -c 0)"$'\x1b\\[1mqueue'
for plain in "$(on_terminal '' limits --no-color)" "$(NO_COLOR=1 on_terminal '' limits)" "$(pgq limits)"; do
    [[ $plain == *queue* && $plain != *$'\x1b'* ]] || fail "colours where there should be none"
done

# Help: of all, of one, of one of one; each sub-command is there.
expect_like "help" "$(pgq --help)" $'^Looks after .*\n\nUsage: pgq COMMAND \\[OPTIONS\\]\n\nCommands:\n  install '
expect_like "help of one" "$(pgq pause --help)" $'\nUsage: pgq pause \\[OPTIONS\\] \\[QUEUE\\] \\[ENTRYPOINT\\]\n.*--reason TEXT .*\\(required\\)'
expect_like "help of one of one" "$(pgq limits set -h)" 'Usage: pgq limits set \[OPTIONS\] QUEUE \[ENTRYPOINT\]'

# Completion.
pgq completion bash >"$work/bash"
complete_line() {  # WORD...: what bash would propose for the last word
    # shellcheck disable=SC2034,SC1091
    (. "$work/bash"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pgq; echo "${COMPREPLY[*]}")
}
expect "sub-commands" "$(complete_line pgq un)" uninstall
expect "sub-commands of one" "$(complete_line pgq schedules re)" 'resume remove'
expect "behind a global option" "$(complete_line pgq --yes schedules li)" list
expect "options" "$(complete_line pgq limits set --am)" --amount
expect "global options" "$(complete_line pgq queues --sch)" --schema
expect "values" "$(complete_line pgq queues --format m)" markdown
expect "values of its own option" "$(complete_line pgq verify --expect p)" present
expect "values of an argument" "$(complete_line pgq completion f)" fish
expect "free text" "$(complete_line pgq pause --reason q)" ''
refuses 2 '.*' completion tcsh
if command -v zsh >/dev/null; then
    pgq completion zsh >"$work/zsh"
    expect_like "zsh" "$(zsh -fc 'compdef() { :; }; _describe() { print -l ${(P)2}; }; . $1
        words=(pgq schedules re) CURRENT=3 PREFIX=re; _pgq' zsh "$work/zsh")" $'\nresume:Fire a paused schedule'
else
    echo "left out: zsh is not installed"
fi
if command -v fish >/dev/null; then
    pgq completion fish >"$work/fish"
    fish_proposes() { fish -c "source $work/fish; complete -C '$1'" | cut -f1 | paste -sd ' '; }
    expect "fish" "$(fish_proposes 'pgq schedules li')" list
    expect "fish, behind a global option" "$(fish_proposes 'pgq --format json schedules li')" list
    expect "fish, options" "$(fish_proposes 'pgq limits set --am')" --amount
    expect "fish, global options" "$(fish_proposes 'pgq queues --sch')" --schema
    expect "fish, no option of another command" "$(fish_proposes 'pgq queues --am')" ''
    expect "fish, values" "$(fish_proposes 'pgq queues --format m')" markdown
else
    echo "left out: fish is not installed"
fi
for word in pause --watch schedules; do
    for shell in bash zsh fish; do
        expect_like "$shell completes $word" "$(pgq completion $shell)" "${word#--}"
    done
done

# The manual page.
pgq man >"$work/pgq.1"
expect_like "the page" "$(cat "$work/pgq.1")" '^\.TH PGQ 1 .*\.SS "pgq limits set'
if command -v groff >/dev/null; then
    expect "what groff says" "$(groff -ww -man -Tutf8 "$work/pgq.1" 2>&1 >/dev/null)" ''
else
    echo "left out: groff is not installed"
fi
