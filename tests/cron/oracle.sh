#!/usr/bin/env bash
# oracle.sh PROGRAM: compares PROGRAM (tests/programs/cron_times.cpp) with cronsim (PyPI) and croner (npm). It installs
# them into a temporary folder. One that cannot be installed is not compared; without both the test is skipped (77).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
compared=no
failed=0

if python3 -m venv "$folder/python" >"$folder/log" 2>&1 && "$folder/python/bin/pip" install -q 'cronsim==2.8' >"$folder/log" 2>&1; then
    "$folder/python/bin/python" "$here/cronsim_oracle.py" "$1" "$here/table.txt" || failed=1
    compared=yes
else
    echo "skipped: cronsim cannot be installed"
fi

if npm install --silent --prefix "$folder/node" croner@11.0.1 >"$folder/log" 2>&1; then
    node "$here/croner_oracle.mjs" "$folder/node/node_modules/croner/dist/croner.js" "$1" "$here/table.txt" || failed=1
    compared=yes
else
    echo "skipped: croner cannot be installed"
fi

[ $compared = yes ] || exit 77
exit $failed
