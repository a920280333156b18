#!/usr/bin/env bash
# trace_context.sh PROGRAM: compares PROGRAM (tests/programs/trace_context.cpp) with OpenTelemetry (PyPI). It installs that
# into a temporary folder. If that is not possible, the test is skipped (77).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if python3 -m venv "$folder/python" >"$folder/log" 2>&1 &&
    "$folder/python/bin/pip" install -q 'opentelemetry-sdk==1.45.2' >"$folder/log" 2>&1; then
    "$folder/python/bin/python" "$here/compare.py" "$1"
else
    echo "skipped: opentelemetry-sdk cannot be installed"
    exit 77
fi
