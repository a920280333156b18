#!/usr/bin/env bash
# precompile.sh gcc|clang COMPILER HEADER FLAG...: writes HEADER.gch, and its dependencies into HEADER.d.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/flags.sh"
brand=$1 compiler=$2 header=$3
shift 3
fixture_flags "$brand"
# Without this, Clang instantiates what the headers use in each fixture again, which takes ten times as long as the rest.
# GCC has no such flag.
[ "$brand" = gcc ] || flags+=(-fpch-instantiate-templates)
"$compiler" "$@" "${flags[@]}" -x c++-header -MD -MF "$header.d" -MT "$header.gch" -o "$header.gch" "$header"
