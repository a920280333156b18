#!/usr/bin/env bash
# Tests check.sh: it must accept a good tree and report each fault of a bad one.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

header() {  # PATH LINE...: writes a header with #pragma once and these lines
    mkdir -p "$(dirname "$tree/$1")"
    printf '%s\n' '#pragma once' "${@:2}" >"$tree/$1"
}
good_tree() {
    rm -rf "$tree/pgq"
    header pgq/version.hpp
    header pgq/detail/pack.hpp '#include <pgq/version.hpp>'
    header pgq/error/errc.hpp '#include <pgq/detail/pack.hpp>' '#include <string>'
    header pgq/error/result.hpp '#include <pgq/error/errc.hpp>' '#include <string>'
    header pgq/job/id.hpp '#include <pgq/error/result.hpp>'
    header pgq/driver/memory.hpp '#include <pgq/job/id.hpp>'
    header pgq/driver/libpq.hpp '#include <pgq/job/id.hpp>' '#include <libpq-fe.h>' '#include <string>'
    header pgq/limiter/none.hpp '#include <pgq/job/id.hpp>'
    header pgq/queue.hpp '#include <pgq/limiter/none.hpp>'
    header pgq/worker.hpp '#include <pgq/queue.hpp>'
    header pgq/pgq.hpp '#include <pgq/worker.hpp>'
}
expect() {  # WHAT REGEX [many]: the checker fails and prints one line that matches REGEX, or many lines with one
    local output
    if output=$("$BASH" "$here/check.sh" "$tree"); then
        echo "not reported: $1"
        failed=1
    elif ! grep -Eq "$2" <<<"$output" || { [ "${3-}" != many ] && [ "$(wc -l <<<"$output")" != 1 ]; }; then
        printf '%s: expected one line like "%s", got:\n%s\n' "$1" "$2" "$output"
        failed=1
    fi
    good_tree
}

good_tree
[ "$("$BASH" "$here/check.sh" "$tree")" = "11 headers, median 2 lines" ] || { echo "the good tree was refused"; failed=1; }

header pgq/error/result.hpp '#include <pgq/job/id.hpp>'
header pgq/job/id.hpp
expect "upwards" 'error/result.hpp:2: rank 1 must not include <pgq/job/id.hpp> of rank 3'

header pgq/limiter/none.hpp '#include <pgq/driver/memory.hpp>'
expect "sideways" 'limiter/none.hpp:2: rank 7.6 must not include'

header pgq/driver/pq/command/enqueue.hpp '#include <pgq/driver/pq/session/session.hpp>'
header pgq/driver/pq/session/session.hpp
expect "upwards between the rooms of a driver" 'command/enqueue.hpp:2: rank 7.2 must not include <pgq/driver/pq/session/session.hpp> of rank 7.3'

header pgq/queue.hpp '#include <pgq/pgq.hpp>'
header pgq/pgq.hpp
expect "an umbrella from below" 'queue.hpp:2: rank 9 must not include <pgq/pgq.hpp>'

header pgq/error/errc.hpp '#include <pgq/error/result.hpp>'
expect "a cycle" 'includes itself: pgq/error/(errc|result).hpp pgq/error/(errc|result).hpp pgq/error/(errc|result).hpp$'

echo >"$tree/pgq/job/id.hpp"
expect "no pragma" 'job/id.hpp: has no #pragma once'

header pgq/job/id.hpp '#include "result.hpp"'
expect "quotes" 'job/id.hpp:2: include it as'

header pgq/job/id.hpp '#include <pgq/error/gone.hpp>'
expect "a missing header" 'job/id.hpp:2: there is no <pgq/error/gone.hpp>'

header pgq/surprise/x.hpp
expect "a folder without a rank" 'surprise/x.hpp: the folder has no rank'

header pgq/job/id.hpp '#include <string>' '#include <pgq/error/result.hpp>'
expect "blocks out of order" 'job/id.hpp:3: <pgq/error/result.hpp> stands below'

header pgq/worker.hpp '#include <libpq-fe.h>'
expect "libpq outside of driver" 'worker.hpp:2: libpq belongs'

header pgq/driver/memory.hpp '#include <asio/post.hpp>'
expect "Asio in a foreign driver" 'driver/memory.hpp:2: Asio belongs'

header pgq/driver/asio.hpp '#include <asio.hpp>'
expect "the umbrella header of Asio" 'driver/asio.hpp:2: <asio.hpp> is an umbrella'

header pgq/job/id.hpp '#include <boost/hana.hpp>'
expect "the umbrella header of Hana" 'job/id.hpp:2: <boost/hana.hpp> is an umbrella'

header pgq/queue.hpp '#include <pgq/driver/libpq.hpp>'
expect "a queue that includes libpq" 'queue.hpp: reaches libpq through pgq/driver/libpq.hpp'

header pgq/job/id.hpp $(seq 350 | sed 's/^/\/\//')
expect "a long header" 'job/id.hpp: 351 lines; a header has 350 at most'

for i in $(seq 22); do header "pgq/job/x$i.hpp"; done
expect "a full folder" 'pgq/job: 23 headers; a folder has 22 at most'

header pgq/schema/generated.hpp
expect "a rank without a room" 'check.awk: a rank for .*, which has no headers' many

header pgq/limiter/none.hpp '#include <pgq/serializer/nlohmann/codec.hpp>'
header pgq/serializer/nlohmann/codec.hpp
expect "a policy that includes a room of another" 'limiter/none.hpp:2: rank 7.6 must not include'

rm -r "$tree/pgq"
mkdir "$tree/pgq"
expect "nothing to check" 'there are no headers'

exit $failed
