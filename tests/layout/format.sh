#!/usr/bin/env bash
# format.sh [--fix]: checks that all files are formatted as .clang-format says; --fix formats them. Exits with 77
# (skipped) without clang-format 14, because each version formats differently.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

tool=
for candidate in clang-format-14 clang-format; do
    if command -v $candidate >/dev/null && $candidate --version | grep -q 'version 14\.'; then
        tool=$candidate
        break
    fi
done
if [ -z "$tool" ]; then
    echo "clang-format 14 is not installed: skipped"
    exit 77
fi

mode=(--dry-run -Werror)
[ "${1-}" != --fix ] || mode=(-i)

# Version 14 breaks `{ ... } noexcept -> ...` badly, so the concepts say `requires noexcept(...)`. The generator formats
# generated.hpp.
folders=()
for folder in include tests examples bench tools packaging; do [ ! -d $folder ] || folders+=($folder); done
find "${folders[@]}" \( -name '*.hpp' -o -name '*.ipp' -o -name '*.cpp' \) \
    ! -path '*/generated.hpp' ! -path '*/build/*' -print0 |
    xargs -0 -r "$tool" "${mode[@]}"
