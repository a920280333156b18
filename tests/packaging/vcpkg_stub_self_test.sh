#!/usr/bin/env bash
# Checks that vcpkg_stub.cmake reports each kind of defect in a copy of the tree that has all of them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir "$copy/root"
cp -r "$root"/{CMakeLists.txt,LICENSE,cmake,include,packaging,sql} "$copy/root"

vcpkg=$copy/root/packaging/vcpkg
port=$vcpkg/ports/pgq
break_it() {  # FILE SED-COMMAND
    cp "$1" "$copy/before"
    sed -i "$2" "$1"
    ! cmp -s "$1" "$copy/before" || { echo "$2 changes nothing in $1"; exit 1; }
}
break_it "$port/vcpkg.json" 's/"boost-hana"/"boost-json"/; s/"zstd": {/"lz4": {/; s/"catch2"/"gtest"/; s/"date"/"tz"/'
break_it "$port/portfile.cmake" '/PGQ_INSTALL_LICENSEDIR/d; s/share\/${PORT}"$/lib\/cmake\/${PORT}"/'
break_it "$port/usage" 's/pgq::sodium/pgq::libsodium/'
break_it "$vcpkg/versions/baseline.json" 's/0[.]1[.]0/0.0.9/'
break_it "$vcpkg/versions/p-/pgq.json" 's/0[.]1[.]0/0.0.9/; s/ports\/pgq/port/'

if cmake "-DROOT=$copy/root" "-DWORK=$copy/work" -P "$here/vcpkg_stub.cmake" >"$copy/log" 2>&1; then
    echo "a broken port passes"
    exit 1
fi
tr -s ' \n' ' ' <"$copy/log" >"$copy/messages"
for message in 'the features of vcpkg.json: found "asio;cli;json;libpq;lz4;' 'the dependencies of the core: found "boost-json"' \
    'the dependencies of pgq[testing]: found "gtest"' 'the dependencies of pgq[timezones]: found "tz"' \
    'the version in versions/baseline.json: found "0.0.9"' \
    'the version in versions/p-/pgq.json: found "0.0.9"' 'the path in versions/p-/pgq.json: found "$/port"' \
    'the package has lib/cmake/pgq/pgqConfig.cmake' 'the licence files: found "share/' \
    'the package has no share/pgq/pgqConfig.cmake' 'the targets that the usage text names: found "'; do
    grep -qF -- "$message" "$copy/messages" || {
        cat "$copy/log"
        echo "not reported: $message"
        exit 1
    }
done
