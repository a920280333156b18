#pragma once

#include <pgq/error/errc.hpp>
#include <pgq/error/error_info.hpp>
#include <pgq/error/sqlstate.hpp>

namespace pgq {

/// Whether a session is of no more use after this error, although its socket may still be open: close it and connect
/// again.
///
/// That is so when the connection broke, when an answer could not be read, when the server ends the session (shutdown,
/// crash, time limits, a dropped database), and when the server has become a read-only standby after a failover.
inline bool ends_session(const error_info& e) noexcept {
    if (e == errc::connection_lost || e == errc::protocol) return true;
    if (e.code.category() != sqlstate_category()) return false;
    const int state = e.code.value();
    if (sqlstate_class(state) == sqlstate_class("08")) return true;
    for (const char* ending : {"57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "25P04", "25006"})
        if (state == sqlstate(ending)) return true;
    return false;
}

}  // namespace pgq
