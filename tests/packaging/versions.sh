#!/usr/bin/env bash
# versions.sh PROJECT_VERSION: checks that all packages have the version of version.hpp. PROJECT_VERSION is what
# CMakeLists.txt read.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bad=0
header=include/pgq/version.hpp
version=$(sed -n 's/^#define PGQ_VERSION "\(.*\)"$/\1/p' $header)
parts=$(sed -n 's/^#define PGQ_VERSION_[A-Z]* \([0-9]*\)$/\1/p' $header | paste -sd .)

same() {  # WHERE FOUND
    [ "$2" = "$version" ] || {
        echo "$1 has version ${2:-(none)}, and PGQ_VERSION is $version" >&2
        bad=1
    }
}
field() { sed -nE "s/^ *\"$2\": \"(.*)\",?$/\1/p" "$1" | head -1; }  # FILE KEY

vcpkg=packaging/vcpkg
same "$header, MAJOR.MINOR.PATCH" "$parts"
same CMakeLists.txt "$1"
same $vcpkg/ports/pgq/vcpkg.json "$(field $vcpkg/ports/pgq/vcpkg.json version)"
same $vcpkg/versions/baseline.json "$(field $vcpkg/versions/baseline.json baseline)"
same $vcpkg/versions/p-/pgq.json "$(field $vcpkg/versions/p-/pgq.json version)"

# The recipe reads the version from the header. Text that names the package names its version.
! grep -nE '^ *version *= *"' conanfile.py || {
    echo "conanfile.py has a version of its own" >&2
    bad=1
}
named=$(grep -rhoE '\bpgq/[0-9]+\.[0-9]+\.[0-9]+' --include='*.md' --include='conanfile.txt' README.md docs packaging | sort -u)
while IFS= read -r name; do same "text about Conan" "${name#pgq/}"; done <<<"$named"
exit $bad
