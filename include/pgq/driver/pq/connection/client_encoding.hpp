#pragma once

#include <pgq/error/errc.hpp>
#include <pgq/error/result.hpp>

#include <libpq-fe.h>

#include <string>
#include <string_view>

namespace pgq::driver::pq {

/// Whether text passes as UTF-8 in both directions. libpq knows the encoding without a round trip, also after a SET.
inline bool speaks_utf8(const PGconn* c) noexcept {
    const char* const encoding = PQparameterStatus(c, "client_encoding");
    return encoding != nullptr && std::string_view{encoding} == "UTF8";
}

/// Refuses a connection of the caller's on which the server would take the library's text for another one: it would
/// store other characters, and not find the keys that other connections have stored.
inline result<void> check_client_encoding(const PGconn* c) {
    if (PQstatus(c) != CONNECTION_OK || speaks_utf8(c)) return {};  // of a broken one the statement says more
    const char* const encoding = PQparameterStatus(c, "client_encoding");
    return error_info{errc::invalid_option,
                      "the client_encoding of the given connection is " +
                          std::string{encoding == nullptr ? "unknown" : encoding} + ", not UTF8",
                      "set it before the call: PQsetClientEncoding(conn, \"UTF8\")"};
}

}  // namespace pgq::driver::pq
