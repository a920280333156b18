#!/usr/bin/env bash
# With Clang and libc++, all headers compile, and a program runs a job on the memory driver. CLANG may name the compiler.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

flags=(-std=c++20 -stdlib=libc++ -fexperimental-library -Wall -Wextra -Werror -DASIO_HAS_CO_AWAIT=1 -DASIO_HAS_STD_COROUTINE=1
    -DUSE_OS_TZDB=1)
clang=
for name in ${CLANG-} $(compgen -c clang++- | grep -E '^clang\+\+-[0-9]+$' | sort -t- -k2 -rn -u) clang++; do
    echo '#include <stop_token>
int main() { return std::stop_source{}.stop_requested(); }' >"$work/probe.cpp"
    if "$name" "${flags[@]}" "$work/probe.cpp" -o "$work/probe" >/dev/null 2>&1; then
        clang=$name
        break
    fi
done
if [ -z "$clang" ]; then
    left_out "Clang with libc++: none that has std::stop_token is installed"
    exit 77
fi

used=(core)
for component in $components; do
    if [ "$component" = testing ]; then continue; fi
    if has_library "$component"; then used+=("$component"); else left_out "pgq::$component: this machine lacks its library"; fi
done
[ ${#used[@]} = 8 ] || exit 77

includes=("-I$root/include")
if command -v pg_config >/dev/null; then includes+=("-isystem" "$(pg_config --includedir)"); fi
cd "$root/include"
find pgq -name '*.hpp' ! -path 'pgq/testing/*' | LC_ALL=C sort | sed 's/.*/#include <&>/' >"$work/headers.cpp"
cd "$work"
cp "$packaging"/consumer/*.?pp .
for file in headers json nlohmann timezones libpq asio; do
    quietly $file "$clang" "${flags[@]}" "${includes[@]}" -fsyntax-only $file.cpp
done
echo 'bool run_core(); int main() { return run_core() ? 0 : 1; }' >main.cpp
quietly core "$clang" "${flags[@]}" "${includes[@]}" main.cpp core.cpp -o core -pthread
run_program ./core
