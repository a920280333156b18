#pragma once

#include <pgq/error/error_info.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pgq::cron {

/// A part of a cron expression. `whole` is all of it, `interval` the duration of `@every`.
enum class field : std::uint8_t { second, minute, hour, day, month, weekday, whole, interval };

/// What is wrong with a cron expression.
enum class mistake : std::uint8_t {
    none,
    number_of_fields,
    unexpected_character,
    missing_value,
    unknown_name,
    out_of_range,
    range_runs_backwards,
    bad_step,
    misplaced_letter,
    bad_occurrence,
    never_comes,
    unknown_macro,
    bad_interval,
};

/// The first mistake in a cron expression.
struct problem {
    mistake what = mistake::none;
    field where = field::whole;
    std::size_t character = 0;  ///< counts from 1; one more than the length if the text ends too early

    friend constexpr bool operator==(const problem&, const problem&) = default;
};

namespace detail {

inline std::string_view text_of(field f) noexcept {
    static constexpr std::array<std::string_view, 8> texts{
        "second", "minute", "hour", "day of the month", "month", "day of the week", "expression", "interval"};
    return texts[static_cast<std::size_t>(f)];
}

inline std::string_view values_of(field f) noexcept {
    static constexpr std::array<std::string_view, 8> texts{
        "0 to 59", "0 to 59", "0 to 23", "1 to 31", "1 to 12 or JAN to DEC", "0 to 7 or SUN to SAT", "", ""};
    return texts[static_cast<std::size_t>(f)];
}

inline std::string_view text_of(mistake m) noexcept {
    switch (m) {
    case mistake::none: return "nothing is wrong";
    case mistake::number_of_fields: return "there are not 5 or 6 fields";
    case mistake::unexpected_character: return "this character is not expected here";
    case mistake::missing_value: return "a value is missing";
    case mistake::unknown_name: return "this name is not known";
    case mistake::out_of_range: return "the number is out of range";
    case mistake::range_runs_backwards: return "the range runs backwards";
    case mistake::bad_step: return "the step is zero or has more than the values of the field";
    case mistake::misplaced_letter: return "L, W, # or ? is not allowed here";
    case mistake::bad_occurrence: return "a month has at most five of a weekday";
    case mistake::never_comes: return "no month of the expression has such a day";
    case mistake::unknown_macro: return "this macro is not known";
    case mistake::bad_interval: return "the interval is not a duration from 1 second to 36500 days";
    }
    return "";
}

inline std::string remedy_for(const problem& p) {
    const std::string values{values_of(p.where)};
    switch (p.what) {
    case mistake::number_of_fields:
        return "write minute, hour, day of the month, month and day of the week; write seconds first if there are six";
    case mistake::range_runs_backwards:
        return p.where == field::weekday
                   ? "Sunday is also 7: write 5-7 for Friday to Sunday; or write two ranges: 6,0-2"
                   : "write two ranges, such as 22-23,0-5 for an hour";
    case mistake::bad_step: return "write a step of at least 1, such as */5";
    case mistake::misplaced_letter:
        return "L, LW, 15W and ? are days of the month; 5L, 5#2 and ? are days of the week; each is a value of its own";
    case mistake::bad_occurrence: return "write n#1 to n#5, or nL for the last one";
    case mistake::never_comes: return "write a day that one of the months has, or L for the last day of the month";
    case mistake::unknown_macro:
        return "write @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually or @every 90s";
    case mistake::bad_interval: return "write numbers with s, m, h or d, such as @every 90s or @every 1h30m";
    default: return "write values from " + values + ", ranges a-b, steps */n or a-b/n, lists a,b";
    }
}

// The character as it can be shown in a message.
inline std::string shown(std::string_view text, std::size_t character) {
    if (character == 0 || character > text.size()) return "the end";
    const auto c = static_cast<unsigned char>(text[character - 1]);
    if (c >= ' ' && c < 0x7f) return std::string{'\''} + static_cast<char>(c) + '\'';
    constexpr std::string_view digits = "0123456789abcdef";
    return std::string{"byte 0x"} + digits[c / 16] + digits[c % 16];
}

/// "cron expression, hour, character 3 ('2'): the range runs backwards", and how to correct it.
inline error_info to_error(const problem& p, std::string_view text) {
    std::string message{"cron expression, "};
    if (p.where != field::whole) (message += text_of(p.where)) += ", ";
    message += "character " + std::to_string(p.character) + " (" + shown(text, p.character) + "): ";
    return {errc::invalid_cron, message.append(text_of(p.what)), remedy_for(p)};
}

}  // namespace detail
}  // namespace pgq::cron
