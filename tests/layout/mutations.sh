#!/usr/bin/env bash
# mutations.sh: each mutation of tests/mutations finds its text exactly once. tests/mutate.sh needs that, and runs too
# rarely to tell who has changed the text.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar -c include sql tests | tar -x -C "$copy"
awk -v root=. -v out="$copy" -f tests/mutations/apply.awk tests/mutations/*.txt >"$copy/table"
[ -s "$copy/table" ]
