#pragma once

#include <pgq/detail/require_cxx20.hpp>

namespace pgq::diagnostic {

/// Always false, but it depends on `Types`. So a static_assert with it fails only when its template is instantiated.
template <class... Types>
inline constexpr bool never = false;

}  // namespace pgq::diagnostic
