#pragma once

namespace pgq::diagnostic {

/// False, but only once `Types` are known: for a message whose condition was found out elsewhere.
template <class... Types>
inline constexpr bool never = false;

}  // namespace pgq::diagnostic
