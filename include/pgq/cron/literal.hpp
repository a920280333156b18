#pragma once

#include <cstddef>
#include <string_view>

namespace pgq::cron {

/// A text as a template argument, such as that of a cron expression: `template <cron::literal Text>`.
template <std::size_t Size>
struct literal {
    char text[Size]{};

    // NOLINTNEXTLINE(google-explicit-constructor): made of the string literal that is the template argument
    consteval literal(const char (&characters)[Size]) {
        for (std::size_t i = 0; i < Size; ++i) text[i] = characters[i];
    }

    constexpr std::string_view view() const noexcept { return {text, Size - 1}; }
};

}  // namespace pgq::cron
