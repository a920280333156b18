#!/usr/bin/env bash
# table.sh PROGRAM: checks that PROGRAM (tests/programs/cron_times.cpp) finds the times of table.txt.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rows=$(grep -v '^#' "$here/table.txt")
expressions=$(cut -d'|' -f4 <<<"$rows" | sort -u | wc -l)
[ "$expressions" -ge 500 ] || {
    echo "table.txt has $expressions expressions instead of 500" >&2
    exit 1
}
diff <(cut -d'|' -f1-4 <<<"$rows" | paste -d'|' - <(cut -d'|' -f1-4 <<<"$rows" | "$1" | sed 's/ $//')) - <<<"$rows"
echo "$(wc -l <<<"$rows") rows, $expressions expressions"
