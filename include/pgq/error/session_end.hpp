#pragma once

#include <pgq/error/error_info.hpp>
#include <pgq/error/sqlstate.hpp>

namespace pgq::detail {

/// Errors after which a session cannot go on although its socket may still be open.
inline bool session_is_over(const error_info& e) {
    return e.code == make_sqlstate("57P01") || e.code == make_sqlstate("57P02") || e.code == make_sqlstate("57P03") ||
           e.code == make_sqlstate("57P05") || e.code == make_sqlstate("25P03") || e.code == make_sqlstate("25006") ||
           e == errc::protocol;
}

}  // namespace pgq::detail
