#!/usr/bin/env bash
# check.sh INCLUDE_DIR: checks the includes of all headers; see check.awk.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$1"
find pgq \( -name '*.hpp' -o -name '*.ipp' \) | LC_ALL=C sort | LC_ALL=C xargs awk -f "$here/check.awk"
