#pragma once

#include <libpq-fe.h>
#include <poll.h>

namespace pgq::driver::pq {

/// False if the server has closed the connection while nothing was going on. It reads what has come meanwhile.
inline bool is_still_open(PGconn* c) noexcept {
    const auto has_more = [c] {
        ::pollfd socket{PQsocket(c), POLLIN, 0};
        return ::poll(&socket, 1, 0) > 0;
    };
    if (PQstatus(c) != CONNECTION_OK) return false;
    // A read returns no more than one TLS record, or than libpq's buffer has room for. The end comes last.
    do {
        if (PQconsumeInput(c) != 1) return false;
    } while (has_more());
    return true;
}

}  // namespace pgq::driver::pq
