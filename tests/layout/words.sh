#!/usr/bin/env bash
# words.sh ROOT: no identifier or comment in include/, sql/, bench/ and examples/ has a figurative word for which the
# field has a term (CONTRIBUTING.md, "How we write"). The report names the term.
set -euo pipefail
cd "$1"
bad=0
while read -r word instead; do
    found=$(find include sql bench examples -name '*.[hcs][pq][pl]' -exec grep -HnwE "$word" {} + 2>/dev/null |
        grep -vE 'std::exchange|\.exchange\(') || true
    [ -n "$found" ] || continue
    sed -E "s|^([^:]*:[0-9]+):.*|\1: not '${word//|/ or }': $instead|" <<<"$found" >&2
    bad=1
done <<'WORDS'
exchanges? sync, or round trip
floor_mark cursor
astray|crowded|distrust unlocated, contended, invalidate
colleagues? peer
verdicts? outcome, result or decision
bury|graves? dead_letter_route
oust_former terminate_previous
ushers?|guests?|tickets? watcher, waiter, registration
stash|patiently defer, retry
emit_sql sql_functions
stand_in|stand_down add_spare_thread, remove_spare_thread
overran exceeded_timeout
chores|tide jobs, load
hears?|heard|news receive, notify
WORDS
exit $bad
