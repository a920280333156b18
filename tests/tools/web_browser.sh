#!/usr/bin/env bash
# web_browser.sh PGQ: the pages of `pgq web` in headless Chromium. Skipped without Chromium, node or npm's packages.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
skip() { echo "$1: skipped"; exit 77; }
"$pgq_program" --help | grep -q '^  web ' || skip "this pgq has no web"
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip "there is no Chromium"
command -v node >/dev/null && command -v npm >/dev/null || skip "there is no node or npm"
mkdir "$work/npm"
(cd "$work/npm" && timeout 120 npm install --silent --no-audit --no-fund --ignore-scripts \
    playwright-core@1.65.1 axe-core@4.14.1 >"$work/npm.log" 2>&1) || skip "npm cannot get playwright-core and axe-core"

pgq install >/dev/null
psql -X -q -v ON_ERROR_STOP=1 "$PGQ_DSN" -f "$here/web_demo.sql"
"$pgq_program" --dsn "$PGQ_DSN" web --port 0 >"$work/address" 2>"$work/log" </dev/null &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
wait_for 20 "the address of the page" grep -q http "$work/address"
NODE_PATH="$work/npm/node_modules" node "$here/web_browser.cjs" "$chromium" "$(cat "$work/address")" "$PGQ_DSN"
