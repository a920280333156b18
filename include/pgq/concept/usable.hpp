#pragma once

namespace pgq::detail {

/// False if the session knows that its connection was closed while nothing was going on. Ask this before a call: it
/// can use another connection then, and nothing of it is in doubt.
template <class Session>
bool is_usable(Session& s) noexcept {
    if constexpr (requires { s.usable(); }) return s.usable();
    else return true;
}

}  // namespace pgq::detail
