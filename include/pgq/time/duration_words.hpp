#pragma once

#include <pgq/time/clock.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

// Spans of time for people. Programs read those of duration_text.hpp.
namespace pgq::detail {

/// So many thousandths as a number, without zeros at the end: 1500 is "1.5".
inline std::string thousandths_text(std::int64_t n) {
    std::string text = std::to_string(n / 1000);
    if (n % 1000 == 0) return text;
    text += '.' + std::to_string(1000 + n % 1000).substr(1);
    text.erase(text.find_last_not_of('0') + 1);
    return text;
}

/// The two largest units: "2d 1h", "3min 12s"; below ten seconds one, with three digits behind the point at most:
/// "1.5ms". What is between two such texts is rounded.
inline std::string duration_in_words(duration d) {
    using namespace std::chrono;
    if (d < duration{}) return '-' + duration_in_words(d == duration::min() ? duration::max() : -d);
    if (d < seconds{1}) return thousandths_text(round<microseconds>(d).count()) + "ms";
    if (d < seconds{10}) return thousandths_text(round<milliseconds>(d).count()) + "s";
    constexpr std::array<std::pair<std::int64_t, std::string_view>, 4> units{
        {{86'400, "d"}, {3'600, "h"}, {60, "min"}, {1, "s"}}};
    const std::int64_t all = floor<seconds>(d).count();
    std::size_t i = 0;
    while (all < units[i].first) ++i;
    std::string text = std::to_string(all / units[i].first) + std::string{units[i].second};
    const std::int64_t rest = all % units[i].first;
    if (i + 1 < units.size() && rest >= units[i + 1].first)
        text += ' ' + std::to_string(rest / units[i + 1].first) + std::string{units[i + 1].second};
    return text;
}

}  // namespace pgq::detail
