#pragma once

#include <locale.h>
#include <stdlib.h>
#if defined(__APPLE__)
#include <xlocale.h>
#endif

#include <cerrno>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

namespace pgq::detail {

/// The length of the decimal number at the start of `text`, as `std::from_chars` reads it; 0 if there is none.
inline std::size_t number_length(std::string_view text) noexcept {
    std::size_t at = 0;
    const auto skip_digits = [&] {
        const std::size_t begin = at;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
        return at - begin;
    };
    if (at < text.size() && text[at] == '-') ++at;
    std::size_t digits = skip_digits();
    if (at < text.size() && text[at] == '.') {
        ++at;
        digits += skip_digits();
    }
    if (digits == 0) return 0;
    const std::size_t mantissa = at;
    if (at == text.size() || (text[at] != 'e' && text[at] != 'E')) return mantissa;
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    return skip_digits() > 0 ? at : mantissa;
}

/// Does what `std::from_chars` does with a decimal number, whatever the locale of the program is. Infinity and NaN are
/// errors.
template <std::floating_point Float>
std::from_chars_result read_float_by_strtod(const char* first, const char* last, Float& out) {
    const std::string number{first, number_length({first, static_cast<std::size_t>(last - first)})};
    if (number.empty()) return {first, std::errc::invalid_argument};
    static const locale_t c_locale = ::newlocale(LC_ALL_MASK, "C", nullptr);
    errno = 0;
    Float value = 0;
    if constexpr (std::same_as<Float, float>) value = ::strtof_l(number.c_str(), nullptr, c_locale);
    else value = ::strtod_l(number.c_str(), nullptr, c_locale);
    const char* const end = first + number.size();
    // ERANGE with another value is a subnormal number.
    if (errno == ERANGE && (value == 0 || std::isinf(value))) return {end, std::errc::result_out_of_range};
    out = value;
    return {end, std::errc{}};
}

}  // namespace pgq::detail
