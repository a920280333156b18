#!/usr/bin/env bash
# custom_executor.sh CUSTOM_EXECUTOR
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

expect "the output" "$("$1")" $'Sending Email: Your order is on its way\nSending SMS: Code 4711\nheld: permanent: no way to send by pigeon'
