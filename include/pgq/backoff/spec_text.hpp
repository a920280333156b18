#pragma once

#include <pgq/detail/read_float.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <system_error>

// The words of a back-off's text.
namespace pgq::backoff::detail {

struct time_unit {
    std::string_view name;
    duration::rep ticks;
};
inline constexpr std::array time_units{
    time_unit{"h", duration{std::chrono::hours{1}}.count()},
    time_unit{"min", duration{std::chrono::minutes{1}}.count()},
    time_unit{"s", duration{std::chrono::seconds{1}}.count()},
    time_unit{"ms", duration{std::chrono::milliseconds{1}}.count()},
    time_unit{"us", duration{std::chrono::microseconds{1}}.count()},
    time_unit{"ns", 1},
};

/// Appends a time in the largest unit that is exact. A negative time counts as zero.
inline void append_time(std::string& out, duration d) {
    const auto ticks = std::max(d, duration::zero()).count();
    if (ticks == 0) return void(out += " 0s");
    for (const time_unit& unit : time_units) {
        if (ticks % unit.ticks != 0) continue;
        out += ' ' + std::to_string(ticks / unit.ticks);
        return void(out += unit.name);
    }
}

/// Appends the shortest text that is read as the same number.
inline void append_number(std::string& out, double number) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, number).ptr;
    (out += ' ').append(text, end);
}

/// Reads word by word. The first that is not as it should be makes all of it fail; nothing in here overflows.
class spec_words {
public:
    explicit spec_words(std::string_view text) noexcept : rest_{text} {}

    std::string_view next() noexcept {
        const auto end = std::min(rest_.find(' '), rest_.size());
        const auto word = rest_.substr(0, end);
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        if (word.empty()) failed_ = true;
        return word;
    }
    duration time() noexcept {
        const auto word = next();
        duration::rep count = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), count);
        const std::string_view unit = word.substr(static_cast<std::size_t>(end - word.data()));
        for (const time_unit& known : time_units)
            if (error == std::errc{} && unit == known.name && count >= 0 &&
                count <= duration::max().count() / known.ticks)
                return duration{count * known.ticks};
        failed_ = true;
        return {};
    }
    double number() noexcept {
        const auto word = next();
        double value = 0;
        const auto [end, error] = pgq::detail::read_float(word.data(), word.data() + word.size(), value);
        if (error != std::errc{} || end != word.data() + word.size() || value != value) failed_ = true;
        return value;
    }

    bool failed() const noexcept { return failed_; }
    bool at_end() const noexcept { return rest_.empty(); }

private:
    std::string_view rest_;
    bool failed_ = false;
};

}  // namespace pgq::backoff::detail
