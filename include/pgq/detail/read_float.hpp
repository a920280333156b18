#pragma once

#include <charconv>
#include <concepts>
#include <version>

#if !defined(__cpp_lib_to_chars)
#include <pgq/detail/read_float_by_strtod.hpp>
#endif

namespace pgq::detail {

/// `std::from_chars` for a floating-point number. libc++ before version 20 has it for integers only.
template <std::floating_point Float>
std::from_chars_result read_float(const char* first, const char* last, Float& out) {
#if defined(__cpp_lib_to_chars)
    return std::from_chars(first, last, out);
#else
    return read_float_by_strtod(first, last, out);
#endif
}

}  // namespace pgq::detail
