#pragma once

#include <pgq/time/clock.hpp>

#include <charconv>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>
#include <system_error>

// Calendar times as people and programs write them: RFC 3339.
namespace pgq::detail {

/// Reads a text from its start.
class time_reader {
public:
    explicit constexpr time_reader(std::string_view text) noexcept : rest_{text} {}

    bool is_at_end() const noexcept { return rest_.empty(); }
    bool take(char c) noexcept {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    /// Exactly so many digits.
    bool take_number(std::size_t digits, int& n) noexcept {
        if (rest_.size() < digits || rest_.front() == '-') return false;
        const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + digits, n);
        if (error != std::errc{} || end != rest_.data() + digits) return false;
        rest_.remove_prefix(digits);
        return true;
    }
    /// ".25" as microseconds; digits behind the sixth do not count.
    bool take_fraction(std::chrono::microseconds& t) noexcept {
        if (!take('.')) return true;
        int scale = 100'000;
        bool some = false;
        for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; rest_.remove_prefix(1), some = true) {
            t += std::chrono::microseconds{scale * (rest_.front() - '0')};
            scale /= 10;
        }
        return some;
    }
    /// "Z" or "+05:45", as what is ahead of UTC.
    bool take_zone(std::chrono::minutes& ahead) noexcept {
        if (take('Z') || take('z')) return true;
        const bool west = take('-');
        int hours = 0, minutes = 0;
        if (!west && !take('+')) return false;
        if (!take_number(2, hours) || !take(':') || !take_number(2, minutes) || hours > 23 || minutes > 59)
            return false;
        ahead = std::chrono::hours{hours} + std::chrono::minutes{minutes};
        if (west) ahead = -ahead;
        return true;
    }

private:
    std::string_view rest_;
};

/// Reads "2026-03-29T01:00:00Z", also with a space for the T, a fraction or an offset; or a day, which begins
/// at midnight UTC. Nothing if it is something else, or no time of the calendar. A leap second is refused.
inline std::optional<time_point> read_time(std::string_view text) noexcept {
    time_reader in{text};
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    if (!in.take_number(4, year) || !in.take('-') || !in.take_number(2, month) || !in.take('-') ||
        !in.take_number(2, day))
        return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) return std::nullopt;
    const time_point midnight = std::chrono::sys_days{date};
    if (in.is_at_end()) return midnight;
    std::chrono::microseconds fraction{};
    std::chrono::minutes ahead{};
    if ((!in.take('T') && !in.take('t') && !in.take(' ')) || !in.take_number(2, hour) || !in.take(':') ||
        !in.take_number(2, minute) || !in.take(':') || !in.take_number(2, second) || !in.take_fraction(fraction) ||
        !in.take_zone(ahead) || !in.is_at_end() || hour > 23 || minute > 59 || second > 59)
        return std::nullopt;
    return midnight + std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second} +
           fraction - ahead;
}

}  // namespace pgq::detail
