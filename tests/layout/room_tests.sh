#!/usr/bin/env bash
# room_tests.sh ROOT: checks that each room of include/pgq (a folder with headers) has unit tests in tests/unit/<room>,
# or is covered elsewhere, as the list says.
set -euo pipefail
cd "$1"
bad=0
complain() {
    echo "$*" >&2
    bad=1
}

declare -A elsewhere=(
    [cli]=tests/tools/usage.sh
    [cli/bench]=tests/tools/bench.sh
    [cli/command]=tests/tools/listings.sh
    [cli/command/failed]=tests/tools/failed.sh
    [cli/command/jobs]=tests/tools/jobs.sh
    [cli/command/part]=tests/tools/pausing.sh
    [cli/command/schedules]=tests/tools/schedules.sh
    [cli/command/workers]=tests/tools/workers.sh
    [cli/database]=tests/tools/schema.sh
    [cli/output]=tests/tools/listings.sh
    [cli/tree]=tests/tools/usage.sh
    [concept]=tests/concept
    [delivery]=tests/unit/worker/at_most_once.cpp
    [diagnostic]=tests/compile_fail
    [driver/memory]=tests/laws/driver_memory.cpp
    [driver/memory/command]=tests/laws/driver_memory.cpp
    [driver/pq/asio]=tests/integration/asio_session.cpp
    [driver/pq/session]=tests/integration/borrow.cpp
    [event]=tests/unit/observer
    [protocol/doctor]=tests/unit/admin/doctor.cpp
    [serializer/json]=tests/unit/serializer/json.cpp
    [serializer/nlohmann]=tests/unit/serializer/nlohmann.cpp
    [statement/claim]=tests/unit/driver/pq/command/sync.cpp
    [testing]=tests/laws
    [testing/laws]=tests/laws
    [testing/laws/admin]=tests/laws/driver_memory.cpp
    [testing/laws/driver]=tests/laws/driver_memory.cpp
    [testing/laws/limits]=tests/laws/driver_memory.cpp
    [testing/laws/schedules]=tests/laws/driver_memory.cpp
    [testing/simulation]=tests/simulation/contract.cpp
)

rooms=$(cd include/pgq && find . -mindepth 2 -name '*.hpp' | sed 's,^\./,,; s,/[^/]*$,,' | LC_ALL=C sort -u)
[ -n "$rooms" ] || complain "include/pgq: there are no rooms"
for room in $rooms; do
    place=${elsewhere[$room]-}
    if compgen -G "tests/unit/$room/*.cpp" >/dev/null; then
        [ -z "$place" ] || complain "$room: has tests in tests/unit/$room; take it off the list of tests/layout/room_tests.sh"
    elif [ -z "$place" ]; then
        complain "$room: no tests in tests/unit/$room"
    elif [ ! -e "$place" ]; then
        complain "$room: $place does not exist"
    fi
done
exit $bad
