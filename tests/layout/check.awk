# Reads all headers and .ipp files, with paths as in an #include ("pgq/job/id.hpp"), and prints each breach of these rules:
#
# - A header includes headers of its own room or of a lower rank. Rooms of one rank do not include each other.
# - No header includes itself, directly or through others.
# - Each header has `#pragma once`, and includes pgq's headers as <pgq/...>; they exist.
# - The blocks of includes have the order pgq, third party, standard library.
# - Only some rooms include libpq and Asio; queue.hpp reaches neither. No header includes an umbrella header.
# - Each room of the list has headers. No folder has more than 22, no header more than 350 lines, except generated.hpp.
#
# If there is none, it prints the median of the lines of a header.

# A room is a folder, or a subfolder that this list names.
BEGIN {
    ranks(room_rank, "0 detail")
    ranks(room_rank, "1 error")
    ranks(room_rank, "2 time")
    ranks(room_rank, "2.5 cron")
    ranks(room_rank, "3 job")
    ranks(room_rank, "3.2 trace")
    ranks(room_rank, "3.5 protocol")
    ranks(room_rank, "3.7 context")
    ranks(room_rank, "4 event")
    ranks(room_rank, "4.5 health")
    ranks(room_rank, "5 concept")
    ranks(room_rank, "6 fsm statement")
    ranks(room_rank, "6.1 schema")
    ranks(room_rank, "7.1 driver/memory/table driver/pq/connection")
    ranks(room_rank, "7.2 driver/memory/command driver/pq/command")
    ranks(room_rank, "7.25 driver/pq/command/admin")
    ranks(room_rank, "7.3 driver/memory driver/pq/session")
    ranks(room_rank, "7.4 driver/pq/asio serializer/json")
    ranks(room_rank, "7.5 serializer/nlohmann")
    ranks(room_rank, "7.6 driver serializer executor limiter backoff observer delivery")
    ranks(room_rank, "8 diagnostic")
    ranks(room_rank, "8.1 compose")  # composition reports mistakes through `diagnostic`
    ranks(room_rank, "8.15 worker/names")

    ranks(room_rank, "8.25 worker/run")
    ranks(room_rank, "8.2 admin client worker")
    ranks(room_rank, "8.3 pull schedule")
    ranks(room_rank, "8.4 transaction")
    ranks(room_rank, "8.5 handler")
    ranks(room_rank, "8.6 sql_functions")
    ranks(room_rank, "8.7 run")
    ranks(room_rank, "9 cli/payload")
    ranks(room_rank, "9.1 cli/output")
    ranks(room_rank, "9.2 cli/tree cli/top")
    ranks(room_rank, "9.3 cli")
    ranks(room_rank, "9.4 cli/database cli/bench")
    ranks(room_rank, "9.5 cli/command")
    ranks(room_rank, "9.6 cli/app")
    ranks(room_rank, "10 testing")

    ranks(file_rank, "0 version config fwd")
    ranks(file_rank, "10 pgq client cli asio libpq json testing")
    # 9: every other header at the top
}

function stem(path) {
    sub(/\.[hi]pp$/, "", path)
    return path
}

function ranks(table, line,    n, words, i) {
    n = split(line, words, " ")
    for (i = 2; i <= n; ++i) table[words[i]] = words[1] + 0
}

function complain(where, what) {
    print where ": " what
    ++complaints
}

# "job" of pgq/job/id.hpp, "driver/pq/session" of pgq/driver/pq/session/x.hpp, "" of pgq/queue.hpp: the longest name in
# the list.
function room(path,    n, parts, name, i, found) {
    n = split(path, parts, "/")
    if (n < 3) return ""
    found = name = parts[2]
    for (i = 3; i < n; ++i) {
        name = name "/" parts[i]
        if (name in room_rank) found = name
    }
    return found
}

function category(path,    parts) {
    return split(path, parts, "/") > 2 ? parts[2] : ""
}

function rank(path,    name) {
    name = room(path)
    if (name != "") return name in room_rank ? room_rank[name] : -1
    name = path
    sub(/^pgq\//, "", name)
    sub(/\.hpp$/, "", name)
    return name in file_rank ? file_rank[name] : 9
}

function may_include(from, to) {
    if (room(from) == room(to)) return rank(to) <= rank(from)
    if (int(rank(from)) == 7 && int(rank(to)) == 7 && category(from) != category(to)) return 0  # policies do not include each other
    return rank(to) < rank(from) || (rank(from) == 0 && rank(to) == 0)
}

{ ++lines[FILENAME] }

FNR == 1 {
    exists[FILENAME] = 1
    files[++file_count] = FILENAME
    depth = 0
    block = 0
}

/^#pragma once/ { once[FILENAME] = 1 }
/^[ \t]*#[ \t]*if/ { ++depth }
/^[ \t]*#[ \t]*endif/ { --depth }

/^[ \t]*#[ \t]*include[ \t]*"/ { complain(FILENAME ":" FNR, "include it as <pgq/...>: " $0) }

/^[ \t]*#[ \t]*include[ \t]*</ {
    target = $0
    sub(/^[^<]*</, "", target)
    sub(/>.*/, "", target)
    where = FILENAME ":" FNR

    if (target ~ /^pgq\//) {
        kind = 1
        # A header includes the definitions of what it declares (.ipp), which include it. That is no circle.
        if (stem(target) != stem(FILENAME) || target !~ /\.ipp$/) edges[FILENAME] = edges[FILENAME] " " target
        line_of[FILENAME, target] = FNR
    } else if (target ~ /^(asio|boost|libpq|fmt|CLI|prometheus|date|catch2|nlohmann)/) {
        kind = 2
        check_foreign(target, where)
    } else {
        kind = target ~ /\.h$/ ? 0 : 3  # system headers may be in either block
    }
    if (depth == 0 && kind > 0) {
        if (kind < block) complain(where, "<" target "> stands below a later block (pgq, third party, std)")
        block = kind
    }
}

function check_foreign(target, where) {
    if (target ~ /^(asio|boost\/asio|boost\/hana)\.hpp$/)
        complain(where, "<" target "> is an umbrella; include what is used")
    if (target ~ /^asio[\/.]/) {
        sees_foreign[FILENAME] = "Asio"
        if (FILENAME !~ /^pgq\/(driver\/asio|driver\/pq\/|executor\/coroutine|compose\/async_|worker\/run\/asio_|async_worker|async_wait|testing\/simulation\/|asio\.hpp|config\.hpp)/)
            complain(where, "Asio belongs into driver/asio*, driver/pq/, executor/coroutine*, worker/run/asio_*, async_worker*, async_wait and testing/simulation")
    }
    if (target ~ /^libpq/) {
        sees_foreign[FILENAME] = "libpq"
        if (FILENAME !~ /^pgq\/(driver\/|cli\/plain_connection)/) complain(where, "libpq belongs into driver/ and cli/plain_connection")
    }
}

# Visits the headers depth first; `trail` is the path to this one.
function visit(path, trail,    n, targets, i) {
    if (state[path] == 2) return
    if (state[path] == 1) {
        complain(path, "includes itself:" substr(trail, index(trail " ", " " path " ")) " " path)
        return
    }
    state[path] = 1
    n = split(edges[path], targets, " ")
    for (i = 1; i <= n; ++i)
        if (targets[i] in exists) visit(targets[i], trail " " path)
    state[path] = 2
}

function reach(path, start,    n, targets, i) {
    if (path in reached) return
    reached[path] = 1
    if (path in sees_foreign) complain(start, "reaches " sees_foreign[path] " through " path)
    n = split(edges[path], targets, " ")
    for (i = 1; i <= n; ++i) reach(targets[i], start)
}

# Counting sort: `of[n]` headers have n lines.
function median(    f, n, of, passed) {
    for (f = 1; f <= file_count; ++f) ++of[lines[files[f]]]  # also of .ipp files
    for (n = 0; passed * 2 < file_count; ++n) passed += of[n + 1]
    return n
}

function check_sizes(    f, path, folder, in_folder, used, name) {
    for (f = 1; f <= file_count; ++f) {
        path = folder = files[f]
        sub(/\/[^\/]*$/, "", folder)
        if (path !~ /\.ipp$/) ++in_folder[folder]
        used[room(path)] = 1
        if (lines[path] > 350 && path !~ /^pgq\/schema\/(catalog\/)?generated\.hpp$/)
            complain(path, lines[path] " lines; a header has 350 at most")
    }
    for (folder in in_folder)
        if (in_folder[folder] > 22) complain(folder, in_folder[folder] " headers; a folder has 22 at most")
    # The trees of the self-test have few rooms; that of the library has all of them.
    if ("pgq/schema/generated.hpp" in exists)
        for (name in room_rank)
            if (!(name in used)) complain("tests/layout/check.awk", "a rank for " name ", which has no headers")
    if (!complaints) print file_count " headers, median " median() " lines"
}

END {
    for (f = 1; f <= file_count; ++f) {
        path = files[f]
        if (!(path in once)) complain(path, "has no #pragma once")
        if (rank(path) < 0) complain(path, "the folder has no rank; give it one in tests/layout/check.awk")
        n = split(edges[path], targets, " ")
        for (i = 1; i <= n; ++i) {
            where = path ":" line_of[path, targets[i]]
            if (!(targets[i] in exists)) complain(where, "there is no <" targets[i] ">")
            else if (!may_include(path, targets[i]))
                complain(where, "rank " rank(path) " must not include <" targets[i] "> of rank " rank(targets[i]))
        }
    }
    for (f = 1; f <= file_count; ++f) visit(files[f], "")
    if ("pgq/queue.hpp" in exists) reach("pgq/queue.hpp", "pgq/queue.hpp")
    if (file_count == 0) complain("pgq", "there are no headers")
    check_sizes()
    exit complaints > 0
}
