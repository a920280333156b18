#pragma once

#include <pgq/cli/output/table.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

/// Cells as text.
namespace pgq::cli {

/// RFC 3339 in UTC: "2026-03-29T01:00:00Z", with microseconds only if there are some.
inline std::string text_of(time_point t) {
    const auto day = std::chrono::floor<std::chrono::days>(t);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{t - day};
    std::array<char, 64> out{};
    std::snprintf(out.data(), out.size(), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    std::string text{out.data()};
    if (const auto micros = clock.subseconds().count(); micros != 0) {
        std::snprintf(out.data(), out.size(), ".%06d", static_cast<int>(micros));
        text += out.data();
    }
    return text + 'Z';
}

/// At most three digits behind the point.
inline std::string text_of(double number) {
    std::array<char, 64> out{};
    const double rounded = std::round(number * 1000) / 1000;
    const auto end = std::to_chars(out.data(), out.data() + out.size(), rounded, std::chars_format::fixed).ptr;
    return {out.data(), end};
}

/// The two largest units: "3min 12s", "1.5ms".
inline std::string text_of(duration d) {
    constexpr std::array<std::pair<std::int64_t, std::string_view>, 4> units{
        {{86'400, "d"}, {3'600, "h"}, {60, "min"}, {1, "s"}}};
    const auto seconds = std::chrono::floor<std::chrono::seconds>(d).count();
    if (d < std::chrono::seconds{1}) return text_of(std::chrono::duration<double, std::milli>(d).count()) + "ms";
    if (d < std::chrono::seconds{10}) return text_of(std::chrono::duration<double>(d).count()) + "s";
    for (std::size_t i = 0;; ++i) {
        const auto [size, name] = units[i];
        if (seconds < size) continue;
        std::string first = std::to_string(seconds / size) + std::string{name};
        if (i + 1 == units.size() || seconds % size < units[i + 1].first) return first;
        return first + ' ' + std::to_string(seconds % size / units[i + 1].first) + std::string{units[i + 1].second};
    }
}

/// For people.
inline std::string shown(const cell& c) {
    struct {
        std::string operator()(std::monostate) const { return {}; }
        std::string operator()(const std::string& s) const { return s; }
        std::string operator()(std::int64_t n) const { return std::to_string(n); }
        std::string operator()(double n) const { return text_of(n); }
        std::string operator()(bool b) const { return b ? "yes" : "no"; }
        std::string operator()(time_point t) const { return text_of(t); }
        std::string operator()(duration d) const { return text_of(d); }
        std::string operator()(const capped_count& n) const { return n.text(); }
    } const text;
    return std::visit(text, c);
}

/// For programs.
inline std::string plain(const cell& c) {
    if (const bool* b = std::get_if<bool>(&c)) return *b ? "true" : "false";
    if (const auto* d = std::get_if<duration>(&c)) return text_of(std::chrono::duration<double>(*d).count());
    if (const auto* n = std::get_if<capped_count>(&c)) return std::to_string(n->value);
    return shown(c);
}

/// Programs get a capped count as two columns.
inline constexpr std::string_view capped_suffix = "_capped";
inline bool is_capped(const cell& c) noexcept {
    const auto* n = std::get_if<capped_count>(&c);
    return n != nullptr && n->capped;
}

}  // namespace pgq::cli
