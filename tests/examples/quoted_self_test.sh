#!/usr/bin/env bash
# Checks that quoted.sh accepts equal blocks and reports different ones.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/expect.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
printf 'int a;\nint b;\nint c;\n' >"$dir/x.cpp"

page() { printf '%s\n' "$@" >"$dir/page.md"; }
good() { expect_exit 0 bash "$here/quoted.sh" "$dir" "$dir/page.md"; }
bad() { expect_exit 1 bash "$here/quoted.sh" "$dir" "$dir/page.md" 2>/dev/null; }

page '<!-- x.cpp -->' '' '```cpp' 'int a;' 'int b;' 'int c;' '```' && good
page '<!-- part of x.cpp -->' '```cpp' 'int b;' '```' && good
page '```sh' 'ls' '```' 'text' && good
page '<!-- x.cpp -->' '```cpp' 'int a;' 'int b;' '```' && bad
page '<!-- x.cpp -->' '```cpp' 'int a;' 'int  b;' 'int c;' '```' && bad
page '<!-- part of x.cpp -->' '```cpp' 'int a;' 'int c;' '```' && bad
page '<!-- part of x.cpp -->' '```cpp' 'int' '```' && bad
page '<!-- y.cpp -->' '```cpp' 'int a;' '```' && bad
page '<!-- x.cpp -->' 'text' '```cpp' 'int a;' 'int b;' 'int c;' '```' && bad
page '```cpp' 'int a;' '```' && bad
page '<!-- part of x.cpp -->' '' '```sh' 'int b;' '```' && good
page '<!-- part of x.cpp -->' '' '```sh' 'int  b;' '```' && bad
page '<!-- x.cpp -->' '```cpp' 'int a;' 'int b;' 'int c;' '```' '<!-- part of x.cpp -->' '```sh' 'int c;' '```' && good
page '<!-- x.cpp -->' '```cpp' 'int a;' && bad
exit 0
