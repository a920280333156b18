#!/usr/bin/env bash
# What an installation has, and where: it is the same on each machine, and packagers choose the directories.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# As the pages say, with the libraries of this machine, and without any library.
mkdir "$work/source"
cp -r "$root/CMakeLists.txt" "$root/LICENSE" "$root/cmake" "$root/include" "$root/sql" "$work/source"
(cd "$work/source" && HOME=$work && CXX=$cxx quietly page bash -e "$packaging/projects/install.sh")
install_pgq "$work/bare"
diff -rq "$work/bare" "$work/pgq" >&2 || fail "an installation depends on the libraries of the machine"

cd "$work/bare"
grep -rl -e "$work" -e "$root" . && fail "an installed file names a directory of the build"
diff -rq "$root/include" include >&2 || fail "the headers differ"
diff -rq "$root/sql" share/pgq/sql >&2 || fail "the SQL files differ"
folders=$(find . -type f ! -path './include/pgq/*' -printf '%h ' | tr ' ' '\n' | LC_ALL=C sort -u | xargs)
[ "$folders" = './lib/cmake/pgq ./lib/pkgconfig ./share/licenses/pgq ./share/pgq/sql' ] || fail "files are in $folders"
[ "$(find . -iname '*licen[cs]e*' -type f -o -iname copyright -type f)" = ./share/licenses/pgq/LICENSE ] ||
    fail "there is not exactly one licence"
for component in $components; do
    [ -f "lib/cmake/pgq/pgq_${component}_targets.cmake" ] || fail "the CMake targets of $component are missing"
    [ -f "lib/pkgconfig/pgq-$component.pc" ] || fail "pgq-$component.pc is missing"
done

# The layout that vcpkg wants.
install_pgq "$work/chosen" -DCMAKE_INSTALL_LIBDIR=lib64 -DPGQ_INSTALL_CMAKEDIR=share/pgq -DPGQ_INSTALL_LICENSEDIR=
cd "$work/chosen"
folders=$(find . -type f ! -path './include/pgq/*' -printf '%h ' | tr ' ' '\n' | LC_ALL=C sort -u | xargs)
[ "$folders" = './lib64/pkgconfig ./share/pgq ./share/pgq/sql' ] || fail "with chosen directories, files are in $folders"

# The README has the lines of the tested projects.
while IFS= read -r line; do
    grep -qF -- "\`$line\`" "$root/README.md" || fail "the README lacks $line"
done < <(grep -rhE '^(find_package|set\(PGQ|add_subdirectory|c\+\+)' "$packaging/projects")
