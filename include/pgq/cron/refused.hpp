#pragma once

#include <pgq/cron/problem.hpp>

#include <cstddef>

// Compile-time messages about cron expressions. The template arguments say which field and which character, from 1, are
// wrong. To instantiate one of them is the error.
namespace pgq::cron {

template <mistake What, field Where, std::size_t Character>
struct refused {};  // nothing is wrong

template <field Where, std::size_t Character>
struct refused<mistake::number_of_fields, Where, Character> {
    static_assert(Character == 0,
                  "pgq: a cron expression does not have 5 or 6 fields. Write minute, hour, day of the month, month "
                  "and day of the week, with seconds first if there are six.");
};

template <field Where, std::size_t Character>
struct refused<mistake::unexpected_character, Where, Character> {
    static_assert(Character == 0,
                  "pgq: a cron expression has a character that is not expected there. Write numbers, ranges a-b, "
                  "steps */n or a-b/n, and lists a,b.");
};

template <field Where, std::size_t Character>
struct refused<mistake::missing_value, Where, Character> {
    static_assert(Character == 0,
                  "pgq: a value is missing in a field of a cron expression. Write a number or a name on both sides "
                  "of a comma and of a range, and a number after a slash.");
};

template <field Where, std::size_t Character>
struct refused<mistake::unknown_name, Where, Character> {
    static_assert(Character == 0,
                  "pgq: a name in a cron expression is not known. Write JAN to DEC for a month, SUN to SAT for a "
                  "day of the week.");
};

template <field Where, std::size_t Character>
struct refused<mistake::out_of_range, Where, Character> {
    static_assert(Character == 0,
                  "pgq: a number in a cron expression is out of range. Seconds and minutes are 0 to 59, hours 0 to "
                  "23, days 1 to 31, months 1 to 12, weekdays 0 to 7.");
};

template <field Where, std::size_t Character>
struct refused<mistake::range_runs_backwards, Where, Character> {
    static_assert(Character == 0,
                  "pgq: a range of a cron expression runs backwards. Write two ranges, such as 22-23,0-5; Sunday is"
                  " also 7, so write 5-7 for Friday to Sunday.");
};

template <field Where, std::size_t Character>
struct refused<mistake::bad_step, Where, Character> {
    static_assert(Character == 0,
                  "pgq: a step of a cron expression is zero or has more than the values of its field. Write a step "
                  "of at least 1, such as */5.");
};

template <field Where, std::size_t Character>
struct refused<mistake::misplaced_letter, Where, Character> {
    static_assert(Character == 0,
                  "pgq: L, W, # or ? is not allowed there in a cron expression. L, LW, 15W and ? are days of the "
                  "month; 5L, 5#2 and ? are days of the week; each is a value of its own.");
};

template <field Where, std::size_t Character>
struct refused<mistake::bad_occurrence, Where, Character> {
    static_assert(Character == 0,
                  "pgq: a cron expression asks for a weekday that no month has so often. Write n#1 to n#5, or nL "
                  "for the last one.");
};

template <field Where, std::size_t Character>
struct refused<mistake::never_comes, Where, Character> {
    static_assert(Character == 0,
                  "pgq: a cron expression has a date that never comes. Write a day that one of the months has, or L"
                  " for the last day of the month.");
};

template <field Where, std::size_t Character>
struct refused<mistake::unknown_macro, Where, Character> {
    static_assert(Character == 0,
                  "pgq: a macro of a cron expression is not known. Write @hourly, @daily, @midnight, @weekly, "
                  "@monthly, @yearly, @annually or @every 90s.");
};

template <field Where, std::size_t Character>
struct refused<mistake::bad_interval, Where, Character> {
    static_assert(Character == 0,
                  "pgq: the interval of @every is not a duration from 1 second to 36500 days. Write numbers with s,"
                  " m, h or d, such as @every 90s or @every 1h30m.");
};

}  // namespace pgq::cron
