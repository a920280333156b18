#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <string>
#include <string_view>
#include <system_error>

namespace pgq {

/// A SQLSTATE as a number: its five characters are read as digits in base 36, so that it fits a std::error_code.
/// Returns 0 for a text that is not a SQLSTATE. (The idea comes from OZO.)
constexpr int sqlstate(std::string_view code) noexcept {
    if (code.size() != 5) return 0;
    int value = 0;
    for (char c : code) {
        const bool digit = c >= '0' && c <= '9';
        const bool upper = c >= 'A' && c <= 'Z';
        if (!digit && !upper) return 0;
        value = value * 36 + (digit ? c - '0' : c - 'A' + 10);
    }
    return value;
}

/// The class of a SQLSTATE, which is its first two characters: compare it with `sqlstate_class("08")`.
constexpr int sqlstate_class(int state) noexcept { return state / (36 * 36 * 36); }
constexpr int sqlstate_class(std::string_view two) {
    const char five[5] = {two.at(0), two.at(1), '0', '0', '0'};
    return sqlstate_class(sqlstate(std::string_view{five, 5}));
}

/// The five characters of a SQLSTATE that `sqlstate` made a number.
inline std::string sqlstate_text(int state) {
    std::string text(5, '0');
    for (auto i = text.rbegin(); i != text.rend(); ++i, state /= 36) {
        const int digit = state % 36;
        *i = static_cast<char>(digit < 10 ? '0' + digit : 'A' + digit - 10);
    }
    return text;
}

namespace detail {

class sqlstate_category_type final : public std::error_category {
public:
    const char* name() const noexcept override { return "sqlstate"; }
    std::string message(int state) const override {
        return "the server refused the statement (SQLSTATE " + sqlstate_text(state) + ")";
    }
};

}  // namespace detail

/// The category of the server's errors. The value of a code is that of `sqlstate`, e.g. `sqlstate("40P01")`.
inline const std::error_category& sqlstate_category() noexcept {
    static const detail::sqlstate_category_type instance;
    return instance;
}

inline std::error_code make_sqlstate(std::string_view code) noexcept { return {sqlstate(code), sqlstate_category()}; }

}  // namespace pgq
