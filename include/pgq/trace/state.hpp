#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace pgq::trace {

/// How many members a `tracestate` has at most, and how many characters of it are passed on.
inline constexpr std::size_t most_members = 32, longest_state = 512;

namespace detail {

constexpr bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_key_char(char c) noexcept {
    return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '*' || c == '/';
}
constexpr bool is_value_char(char c) noexcept { return c >= ' ' && c <= '~' && c != ',' && c != '='; }

constexpr bool is_key_part(std::string_view text, std::size_t most, bool digit_first) noexcept {
    if (text.empty() || text.size() > most) return false;
    if (!is_lower(text[0]) && !(digit_first && is_digit(text[0]))) return false;
    return std::all_of(text.begin(), text.end(), is_key_char);
}
/// `key`, or `tenant@system`.
constexpr bool is_key(std::string_view text) noexcept {
    const std::size_t at = text.find('@');
    if (at == std::string_view::npos) return is_key_part(text, 256, false);
    return is_key_part(text.substr(0, at), 241, true) && is_key_part(text.substr(at + 1), 14, false);
}
constexpr bool is_value(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 256 && text.back() != ' ' &&
           std::all_of(text.begin(), text.end(), is_value_char);
}

constexpr std::string_view trim(std::string_view text) noexcept {
    constexpr std::string_view blank = " \t";
    const std::size_t first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blank) + 1 - first);
}

/// Calls `f(member)` for each member of a list, without the blanks around it. Empty members are skipped. False if
/// `f` returned false; the rest is not visited then.
template <class F>
constexpr bool each_member(std::string_view list, F f) {
    for (;;) {
        const std::size_t comma = list.find(',');
        if (const auto member = trim(list.substr(0, comma)); !member.empty() && !f(member)) return false;
        if (comma == std::string_view::npos) return true;
        list.remove_prefix(comma + 1);
    }
}

}  // namespace detail

/// Whether a `tracestate` is what W3C Trace Context, level 1, describes: at most 32 members `key=value` between commas,
/// with different keys. Members may be empty. If not, the whole text must be ignored; the `traceparent` stays valid.
constexpr bool is_valid_state(std::string_view text) noexcept {
    std::array<std::string_view, most_members> keys{};
    std::size_t members = 0;
    return detail::each_member(text, [&](std::string_view member) {
        const std::size_t equals = member.find('=');
        if (equals == std::string_view::npos || members == most_members) return false;
        const auto key = member.substr(0, equals);
        const auto known = keys.begin() + static_cast<std::ptrdiff_t>(members);
        if (!detail::is_key(key) || !detail::is_value(member.substr(equals + 1))) return false;
        if (std::find(keys.begin(), known, key) != known) return false;
        keys[members++] = key;
        return true;
    });
}

/// What is passed on of a valid `tracestate` that has more than 512 characters. Members with more than 128 characters
/// go first, then those at the end, which are the oldest; no member is cut.
inline std::string shorten_state(std::string_view text) {
    const auto join = [&](std::size_t longest_member, std::size_t most) {
        std::string all;
        (void)detail::each_member(text, [&](std::string_view member) {
            if (member.size() > longest_member) return true;
            if (all.size() + !all.empty() + member.size() > most) return false;
            if (!all.empty()) all += ',';
            all += member;
            return true;
        });
        return all;
    };
    constexpr std::size_t no_limit = std::string_view::npos;
    if (std::string all = join(no_limit, no_limit); all.size() <= longest_state) return all;
    return join(128, longest_state);
}

}  // namespace pgq::trace
