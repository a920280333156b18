#pragma once

#include <pgq/cron/calendar.hpp>
#include <pgq/cron/masks.hpp>
#include <pgq/cron/problem.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pgq::cron::detail {

struct parsed {
    masks value{};
    problem error{};
};

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
constexpr bool is_letter(char c) noexcept { return upper(c) >= 'A' && upper(c) <= 'Z'; }

constexpr bool equals_ignoring_case(std::string_view a, std::string_view upper_case) noexcept {
    if (a.size() != upper_case.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (upper(a[i]) != upper_case[i]) return false;
    return true;
}

struct field_rule {
    int lowest;
    int highest;
    std::string_view names;  // three letters each
};
inline constexpr std::array<field_rule, 6> field_rules{{
    {0, 59, {}},
    {0, 59, {}},
    {0, 23, {}},
    {1, 31, {}},
    {1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"},
    {0, 7, "SUNMONTUEWEDTHUFRISAT"},
}};

// Reads an expression from left to right and stops at the first mistake.
class parser {
public:
    constexpr explicit parser(std::string_view text) noexcept : text_{text}, end_{text.size()} {
        while (end_ > 0 && is_blank(text_[end_ - 1])) --end_;
        skip_blanks();
    }

    constexpr parsed run() noexcept {
        if (peek() == '@') read_macro();
        else read_fields();
        return out_;
    }

private:
    constexpr bool failed() const noexcept { return out_.error.what != mistake::none; }
    constexpr void fail(mistake what, std::size_t at) noexcept {
        if (!failed()) out_.error = {.what = what, .where = field_, .character = at + 1};
    }

    // 0 at the end of the text. A zero byte in the text is unexpected everywhere.
    constexpr char peek() const noexcept { return at_ < end_ ? text_[at_] : '\0'; }
    constexpr bool take(char upper_case) noexcept {
        if (at_ >= end_ || upper(text_[at_]) != upper_case) return false;
        ++at_;
        return true;
    }
    constexpr bool at_field_end() const noexcept { return at_ >= end_ || is_blank(text_[at_]); }
    constexpr bool at_item_end() const noexcept { return at_field_end() || text_[at_] == ','; }
    constexpr void skip_blanks() noexcept {
        while (at_ < end_ && is_blank(text_[at_])) ++at_;
    }
    constexpr std::string_view word() noexcept {
        const std::size_t begin = at_;
        while (!at_field_end()) ++at_;
        return text_.substr(begin, at_ - begin);
    }

    constexpr const field_rule& rule() const noexcept { return field_rules[static_cast<std::size_t>(field_)]; }
    constexpr bool is(field f) const noexcept { return field_ == f; }

    // --- fields

    constexpr void read_fields() noexcept {
        const std::size_t begin = at_;
        int count = 0;
        for (; at_ < end_; skip_blanks(), ++count) {
            if (count == 6) return fail(mistake::number_of_fields, at_);
            word();
        }
        if (count < 5) return fail(mistake::number_of_fields, end_);
        at_ = begin;
        masks& m = out_.value;
        m = {.seconds = 1, .minutes = 0, .hours = 0, .months = 0};
        m.any_day = m.any_weekday = m.follows_real_time = false;
        for (int f = 6 - count; f < 6 && !failed(); ++f, skip_blanks()) {
            field_ = static_cast<field>(f);
            if (is(field::second)) m.seconds = 0;
            read_field();
        }
        if (!failed()) check_that_it_comes();
    }

    constexpr void read_field() noexcept {
        masks& m = out_.value;
        const std::size_t begin = at_;
        const std::string_view text = word();
        const bool unrestricted = text == "*" || (text == "?" && (is(field::day) || is(field::weekday)));
        if (unrestricted && is(field::day)) return void(m.any_day = true);
        if (unrestricted && is(field::weekday)) return void(m.any_weekday = true);
        if (text.front() == '*' && field_ <= field::hour) m.follows_real_time = true;
        if (is(field::day)) day_at_ = begin;
        at_ = begin;
        do read_item();
        while (!failed() && take(','));
        if (!at_field_end()) fail(mistake::unexpected_character, at_);
    }

    // a star, a, a-b, each with or without /n, and what only days have
    constexpr void read_item() noexcept {
        const std::size_t begin = at_;
        int from = rule().lowest;
        int to = rule().highest;
        if (!take('*')) {
            if (read_special()) return;
            from = read_value();
            if (failed() || read_suffix(from, begin)) return;
            if (take('-')) to = read_value();
            else if (peek() != '/') to = from;
            if (!failed() && to < from) return fail(mistake::range_runs_backwards, begin);
        }
        const int step = take('/') ? read_step() : 1;
        if (failed()) return;
        if (!at_item_end()) return fail_here();
        for (int value = from; value <= to; value += step) add(value);
    }

    constexpr void add(int value) noexcept {
        masks& m = out_.value;
        switch (field_) {
        case field::second: m.seconds |= 1ULL << value; break;
        case field::minute: m.minutes |= 1ULL << value; break;
        case field::hour: m.hours |= 1U << value; break;
        case field::day: m.days |= 1U << value; break;
        case field::month: m.months |= 1U << value; break;
        default: m.weekdays |= 1U << value % 7; break;
        }
    }

    // L and LW of the day of the month
    constexpr bool read_special() noexcept {
        if (!is(field::day) || !take('L')) return false;
        if (take('W')) out_.value.last_workday = true;
        else out_.value.last_day = true;
        if (!at_item_end()) fail_here();
        return true;
    }

    // 15W of the day of the month; 5L and 5#2 of the day of the week
    constexpr bool read_suffix(int value, std::size_t begin) noexcept {
        masks& m = out_.value;
        if (is(field::day) && take('W')) {
            m.near_days |= 1U << value;
        } else if (is(field::weekday) && take('L')) {
            m.last_weekdays |= 1U << value % 7;
        } else if (is(field::weekday) && take('#')) {
            const std::size_t at = at_;
            const int n = read_number();
            if (failed()) return true;
            if (n < 1 || n > 5) return fail(mistake::bad_occurrence, at), true;
            m.nth_weekdays |= 1ULL << ((n - 1) * 7 + value % 7);
        } else {
            return false;
        }
        if (!at_item_end()) fail(mistake::misplaced_letter, begin);
        return true;
    }

    constexpr int read_value() noexcept {
        const std::size_t begin = at_;
        if (is_letter(peek()) && !rule().names.empty()) return read_name();
        const int value = read_number();
        if (!failed() && (value < rule().lowest || value > rule().highest)) fail(mistake::out_of_range, begin);
        return value;
    }

    constexpr int read_number() noexcept {
        constexpr int enough = 100'000;  // further digits cannot make it valid
        if (!is_digit(peek())) return fail_here(), 0;
        int value = 0;
        for (; is_digit(peek()); ++at_) value = value < enough ? value * 10 + (peek() - '0') : enough;
        return value;
    }

    constexpr int read_name() noexcept {
        const std::string_view names = rule().names;
        const std::string_view name = text_.substr(at_, end_ - at_ < 3 ? end_ - at_ : 3);
        for (std::size_t i = 0; i < names.size(); i += 3) {
            if (!equals_ignoring_case(name, names.substr(i, 3))) continue;
            at_ += 3;
            return rule().lowest + static_cast<int>(i / 3);
        }
        if (name.size() < 2 || !is_letter(name[1])) return fail_here(), 0;
        return fail(mistake::unknown_name, at_), 0;
    }

    constexpr int read_step() noexcept {
        const std::size_t begin = at_;
        const int step = read_number();
        const int most = is(field::weekday) ? 7 : rule().highest - rule().lowest + 1;
        if (!failed() && (step == 0 || step > most)) fail(mistake::bad_step, begin);
        return failed() ? 1 : step;
    }

    // The character at the current place is wrong.
    constexpr void fail_here() noexcept {
        const char c = upper(peek());
        if (at_item_end()) fail(mistake::missing_value, at_);
        else if (c == 'L' || c == 'W' || c == '#' || c == '?') fail(mistake::misplaced_letter, at_);
        else fail(mistake::unexpected_character, at_);
    }

    // A weekday comes in each month, and its fifth one in some February. A day may be in none of the months.
    constexpr void check_that_it_comes() noexcept {
        const masks& m = out_.value;
        if (m.any_day || m.last_day || m.last_workday) return;
        if (!m.any_weekday) return;  // the day of the week is enough
        for (int month = 1; month <= 12; ++month) {
            if ((m.months >> month & 1) == 0) continue;
            const int first = lowest_from(m.days | m.near_days, 1);
            if (first <= days_in_month(2000, month)) return;  // a leap year
        }
        field_ = field::day;
        fail(mistake::never_comes, day_at_);
    }

    // --- macros

    constexpr void read_macro() noexcept {
        struct macro {
            std::string_view name;
            std::string_view fields;
        };
        constexpr std::array<macro, 7> macros{{{"@HOURLY", "0 * * * *"},
                                               {"@DAILY", "0 0 * * *"},
                                               {"@MIDNIGHT", "0 0 * * *"},
                                               {"@WEEKLY", "0 0 * * 0"},
                                               {"@MONTHLY", "0 0 1 * *"},
                                               {"@YEARLY", "0 0 1 1 *"},
                                               {"@ANNUALLY", "0 0 1 1 *"}}};
        const std::size_t begin = at_;
        const std::string_view name = word();
        if (equals_ignoring_case(name, "@EVERY")) return read_interval();
        for (const macro& known : macros) {
            if (!equals_ignoring_case(name, known.name)) continue;
            if (skip_blanks(); at_ < end_) return fail(mistake::unexpected_character, at_);
            out_ = parser{known.fields}.run();
            return;
        }
        fail(mistake::unknown_macro, begin);
    }

    // 90s, 1h30m
    constexpr void read_interval() noexcept {
        constexpr std::int64_t most = 36'500 * seconds_per_day;
        field_ = field::interval;
        skip_blanks();
        const std::size_t begin = at_;
        std::int64_t total = 0;
        do {
            if (!is_digit(peek())) return fail(mistake::bad_interval, at_);
            std::int64_t count = 0;
            for (; is_digit(peek()); ++at_) count = count <= most ? count * 10 + (peek() - '0') : count;
            const std::int64_t unit = take('S')   ? 1
                                      : take('M') ? 60
                                      : take('H') ? 3'600
                                      : take('D') ? seconds_per_day
                                                  : 0;
            if (unit == 0) return fail(mistake::bad_interval, at_);
            total += count > most / unit ? most + 1 : count * unit;
            if (total > most) return fail(mistake::bad_interval, begin);
        } while (at_ < end_);
        if (total == 0) return fail(mistake::bad_interval, begin);
        out_.value = {.interval = total};
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t end_;
    field field_ = field::whole;
    std::size_t day_at_ = 0;  // where the day of the month begins
    parsed out_{};
};

constexpr parsed parse(std::string_view text) noexcept { return parser{text}.run(); }

}  // namespace pgq::cron::detail
