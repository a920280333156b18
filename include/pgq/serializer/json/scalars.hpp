#pragma once

#include <pgq/detail/read_float.hpp>
#include <pgq/serializer/json/codec.hpp>

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

namespace pgq {

namespace serializer::detail {

// Some readers expect text for a `char`, others a number. So characters are not supported.
template <class T>
inline constexpr bool is_character = contains_v<T, type_list<char, wchar_t, char8_t, char16_t, char32_t>>;

template <class T>
concept json_integer = std::integral<T> && !std::same_as<T, bool> && !is_character<T> && sizeof(T) <= 8;

template <class T>
concept json_float = std::same_as<T, float> || std::same_as<T, double>;

// Only an enum with a fixed underlying type can hold any number that a payload may have.
template <class T>
concept json_enum = std::is_enum_v<T> && requires {
    T{std::underlying_type_t<T>{}};
};

template <class Enum>
using enum_number =
    std::conditional_t<std::is_same_v<std::underlying_type_t<Enum>, bool>, bool,
                       std::conditional_t<std::is_signed_v<std::underlying_type_t<Enum>>, std::int64_t, std::uint64_t>>;

template <json_float T>
bool read_not_finite(json_value in, T& out) {
    using limits = std::numeric_limits<T>;
    const std::string_view text = in.text();
    if (text == "NaN") return out = limits::quiet_NaN(), true;
    if (text == "Infinity") return out = limits::infinity(), true;
    if (text == "-Infinity") return out = -limits::infinity(), true;
    return in.expected("a number, \"NaN\", \"Infinity\" or \"-Infinity\"");
}

}  // namespace serializer::detail

template <>
struct codec<bool> {
    static void write(bool value, serializer::json_writer& out) { out.boolean(value); }
    static bool read(serializer::json_value in, bool& out) {
        if (!in.is_boolean()) return in.expected("a boolean");
        out = in.boolean();
        return true;
    }
};

template <serializer::detail::json_integer T>
struct codec<T> {
    static void write(T value, serializer::json_writer& out) { out.integer(value); }
    static bool read(serializer::json_value in, T& out) {
        if (!in.is_number()) return in.expected("an integer");
        const std::string_view text = in.text();
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
        if (error == std::errc{} && end == text.data() + text.size()) return true;
        const bool is_whole = text.find_first_of(".eE") == text.npos;
        return in.fail(is_whole ? "the number does not fit" : "expected an integer without fraction or exponent");
    }
};

template <serializer::detail::json_float T>
struct codec<T> {
    static void write(T value, serializer::json_writer& out) { out.number(value); }
    static bool read(serializer::json_value in, T& out) {
        if (in.is_string()) return serializer::detail::read_not_finite(in, out);
        if (!in.is_number()) return in.expected("a number");
        const std::string_view text = in.text();
        const auto error = pgq::detail::read_float(text.data(), text.data() + text.size(), out).ec;
        if (error != std::errc{}) return in.fail("the number does not fit");
        return true;
    }
};

/// Written as the underlying number. A number without an enumerator is accepted, because a newer producer may have more
/// enumerators.
template <serializer::detail::json_enum T>
struct codec<T> {
    using number = serializer::detail::enum_number<T>;
    using underlying = std::underlying_type_t<T>;

    static void write(T value, serializer::json_writer& out) {
        serializer::encode(static_cast<number>(static_cast<underlying>(value)), out);
    }
    static bool read(serializer::json_value in, T& out) {
        number wide{};
        if (!serializer::decode(in, wide)) return false;
        const auto narrow = static_cast<underlying>(wide);
        if (static_cast<number>(narrow) != wide) return in.fail("the number does not fit");
        out = static_cast<T>(narrow);
        return true;
    }
};

/// The text must be UTF-8. Zero bytes are allowed.
template <>
struct codec<std::string> {
    static void write(const std::string& value, serializer::json_writer& out) { out.string(value); }
    static bool read(serializer::json_value in, std::string& out) {
        if (!in.is_string()) return in.expected("a string");
        out.assign(in.text());
        return true;
    }
};

/// Written as base 64 text.
template <class Allocator>
struct codec<std::vector<std::byte, Allocator>> {
    static void write(const std::vector<std::byte, Allocator>& value, serializer::json_writer& out) {
        out.bytes(value);
    }
    static bool read(serializer::json_value in, std::vector<std::byte, Allocator>& out) {
        if (!in.is_string()) return in.expected("base 64 text");
        out.resize(serializer::detail::base64_size(in.text()));
        return serializer::detail::read_base64(in.text(), out) || in.fail("expected base 64 text");
    }
};

/// Written as the number of its periods: 90s is 90.
template <class Rep, class Period>
struct codec<std::chrono::duration<Rep, Period>> {
    using parts = detail::type_list<Rep>;

    static void write(std::chrono::duration<Rep, Period> value, serializer::json_writer& out) {
        serializer::encode(value.count(), out);
    }
    static bool read(serializer::json_value in, std::chrono::duration<Rep, Period>& out) {
        Rep count{};
        if (!serializer::decode(in, count)) return false;
        out = std::chrono::duration<Rep, Period>{count};
        return true;
    }
};

/// Written as the duration since 1970-01-01 00:00 UTC.
template <class Duration>
struct codec<std::chrono::sys_time<Duration>> {
    using parts = detail::type_list<Duration>;

    static void write(std::chrono::sys_time<Duration> value, serializer::json_writer& out) {
        serializer::encode(value.time_since_epoch(), out);
    }
    static bool read(serializer::json_value in, std::chrono::sys_time<Duration>& out) {
        Duration since{};
        if (!serializer::decode(in, since)) return false;
        out = std::chrono::sys_time<Duration>{since};
        return true;
    }
};

}  // namespace pgq
