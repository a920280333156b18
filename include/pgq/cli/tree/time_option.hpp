#pragma once

#include <pgq/time/clock.hpp>

#include <CLI/App.hpp>
#include <CLI/Error.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pgq::cli {

/// Reads RFC 3339 from the left.
class time_reader {
public:
    explicit time_reader(std::string_view text) noexcept : rest_{text} {}

    std::optional<time_point> read() noexcept {
        const int year = digits(4), month = (skip("-"), digits(2)), day = (skip("-"), digits(2));
        const int hour = (skip("Tt "), digits(2)), minute = (skip(":"), digits(2)), second = (skip(":"), digits(2));
        const auto micros = fraction();
        const int ahead = zone();
        using namespace std::chrono;
        const year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                  std::chrono::day{static_cast<unsigned>(day)}};
        if (!ok_ || !rest_.empty() || !date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
        return time_point{sys_days{date}} + hours{hour} + minutes{minute - ahead} + seconds{second} + micros;
    }

private:
    int digits(std::size_t n) noexcept {
        int value = 0;
        for (std::size_t i = 0; i < n; ++i) value = value * 10 + digit();
        return value;
    }
    int digit() noexcept {
        if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') return ok_ = false, 0;
        const int value = rest_.front() - '0';
        rest_.remove_prefix(1);
        return value;
    }
    void skip(std::string_view one_of) noexcept {
        if (rest_.empty() || one_of.find(rest_.front()) == std::string_view::npos) ok_ = false;
        else rest_.remove_prefix(1);
    }
    bool has(std::string_view one_of) const noexcept {
        return !rest_.empty() && one_of.find(rest_.front()) != std::string_view::npos;
    }
    /// What is below a microsecond is cut off.
    std::chrono::microseconds fraction() noexcept {
        if (!has(".")) return {};
        skip(".");
        int micros = digit() * 100'000;
        for (int unit = 10'000; has("0123456789"); unit /= 10) micros += digit() * unit;
        return std::chrono::microseconds{micros};
    }
    /// Minutes ahead of UTC.
    int zone() noexcept {
        const bool is_ahead = has("+"), is_utc = has("Zz");
        skip("Zz+-");
        if (is_utc) return 0;
        const int hour = digits(2), minute = (skip(":"), digits(2));
        if (hour > 23 || minute > 59) ok_ = false;
        return (is_ahead ? 1 : -1) * (hour * 60 + minute);
    }

    std::string_view rest_;
    bool ok_ = true;
};

/// For a point in time.
inline CLI::Option* add_time(CLI::App& a, const std::string& names, std::optional<time_point>& to,
                             const std::string& what) {
    const auto read = [&to, names](const std::string& text) {
        to = time_reader{text}.read();
        if (!to)
            throw CLI::ValidationError{names,
                                       '"' + text + "\" is no point in time; write 2026-03-29T01:00:00Z or ...+02:00"};
    };
    return a.add_option_function<std::string>(names, read, what)->type_name("WHEN")->take_last();
}

}  // namespace pgq::cli
