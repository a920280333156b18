#!/usr/bin/env bash
# screenshots.sh PGQ: writes the pictures of docs/pictures/ from the pages of `PGQ web`. PGQ_DSN names an empty database.
# It needs Chromium, node, and npm to get playwright-core.
set -euo pipefail
[ -n "${1-}" ] && [ -n "${PGQ_DSN-}" ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2; }
pgq=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
(cd "$work" && npm install --silent --no-audit --no-fund --ignore-scripts playwright-core@1.65.1)

"$pgq" --dsn "$PGQ_DSN" install >/dev/null
psql -X -q -v ON_ERROR_STOP=1 "$PGQ_DSN" -f tests/tools/web_demo.sql
"$pgq" --dsn "$PGQ_DSN" web --port 0 >"$work/address" 2>"$work/log" </dev/null &
server=$!
until grep -q http "$work/address"; do kill -0 "$server"; done
mkdir -p docs/pictures
NODE_PATH="$work/node_modules" node tools/scripts/screenshots.cjs "$chromium" "$(cat "$work/address")" docs/pictures
large=$(find docs/pictures -name '*.png' -size +100k)
[ -z "$large" ] || { echo "larger than 100 kB: $large" >&2; exit 1; }
