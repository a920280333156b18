#include <pgq/cron.hpp>

#include <support/catch.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace unit_cron_next {

using namespace pgq;
using namespace std::chrono_literals;
using std::chrono::sys_days;

constexpr time_point on(int year, unsigned month, unsigned day, std::chrono::seconds time = 0s) {
    return time_point{sys_days{std::chrono::year{year} / std::chrono::month{month} / std::chrono::day{day}}} + time;
}

cron::expression read(std::string_view text) { return cron::expression::parse(text).value(); }

struct row {
    std::string_view text;
    time_point after;
    std::vector<time_point> times;
};

// Forward, and the same times backwards.
void check(const std::vector<row>& rows) {
    for (const row& r : rows) {
        INFO(r.text);
        const auto e = read(r.text);
        CHECK(e.next_times(r.after, r.times.size()) == r.times);
        time_point at = e.next(r.times.back());
        for (auto expected = r.times.rbegin(); expected != r.times.rend(); ++expected) {
            at = e.previous(at);
            CHECK(at == *expected);
        }
        CHECK(e.previous(at) <= r.after);
    }
}

TEST_CASE("the next times of times of the day", "[cron][next]") {
    const auto start = on(2026, 12, 31, 23h + 58min + 30s);
    check({
        {"* * * * *", start, {on(2026, 12, 31, 23h + 59min), on(2027, 1, 1), on(2027, 1, 1, 1min)}},
        {"*/15 * * * *", start, {on(2027, 1, 1), on(2027, 1, 1, 15min), on(2027, 1, 1, 30min)}},
        {"30 2 * * *", start, {on(2027, 1, 1, 2h + 30min), on(2027, 1, 2, 2h + 30min)}},
        {"0 9-10 * * *", start, {on(2027, 1, 1, 9h), on(2027, 1, 1, 10h), on(2027, 1, 2, 9h)}},
        {"59 23 * * *", start, {on(2026, 12, 31, 23h + 59min), on(2027, 1, 1, 23h + 59min)}},
        {"58 23 * * *", start, {on(2027, 1, 1, 23h + 58min), on(2027, 1, 2, 23h + 58min)}},
        {"*/20 * * * * *", start, {start + 10s, start + 30s, start + 50s, start + 70s}},
        {"15 58 23 * * *", start, {on(2027, 1, 1, 23h + 58min + 15s), on(2027, 1, 2, 23h + 58min + 15s)}},
        {"45 58 23 * * *", start, {on(2026, 12, 31, 23h + 58min + 45s), on(2027, 1, 1, 23h + 58min + 45s)}},
    });
}

TEST_CASE("the next times of days of the month", "[cron][next]") {
    const auto start = on(2026, 1, 15);
    check({
        {"0 0 1 * *", start, {on(2026, 2, 1), on(2026, 3, 1)}},
        {"0 0 15 * *", start, {on(2026, 2, 15), on(2026, 3, 15)}},
        {"0 0 31 * *", start, {on(2026, 1, 31), on(2026, 3, 31), on(2026, 5, 31)}},
        {"0 0 L * *", start, {on(2026, 1, 31), on(2026, 2, 28), on(2026, 3, 31), on(2026, 4, 30)}},
        {"0 0 29 2 *", start, {on(2028, 2, 29), on(2032, 2, 29)}},
        {"0 0 LW * *", start, {on(2026, 1, 30), on(2026, 2, 27), on(2026, 3, 31), on(2026, 4, 30), on(2026, 5, 29)}},
        // 15 February and 15 March 2026 are Sundays, 15 August a Saturday.
        {"0 0 15W 2-8 *",
         start,
         {on(2026, 2, 16), on(2026, 3, 16), on(2026, 4, 15), on(2026, 5, 15), on(2026, 6, 15), on(2026, 7, 15),
          on(2026, 8, 14)}},
        // 1 August 2026 is a Saturday, 1 February a Sunday: nW stays in its month.
        {"0 0 1W 2,8 *", start, {on(2026, 2, 2), on(2026, 8, 3)}},
        {"0 0 31W 1,5,10 *", start, {on(2026, 1, 30), on(2026, 5, 29), on(2026, 10, 30)}},
        {"0 0 31W 4,5 *", start, {on(2026, 5, 29), on(2027, 5, 31)}},
        {"0 0 1 1 *", start, {on(2027, 1, 1), on(2028, 1, 1)}},
    });
}

TEST_CASE("the next times of days of the week", "[cron][next]") {
    const auto start = on(2026, 1, 1);  // a Thursday
    check({
        {"0 0 * * 0", start, {on(2026, 1, 4), on(2026, 1, 11)}},
        {"0 0 * * 1-5", start, {on(2026, 1, 2), on(2026, 1, 5), on(2026, 1, 6)}},
        {"0 0 * * 5L", start, {on(2026, 1, 30), on(2026, 2, 27), on(2026, 3, 27)}},
        {"0 0 * * 5#2", start, {on(2026, 1, 9), on(2026, 2, 13), on(2026, 3, 13)}},
        {"0 0 * * 5#5", start, {on(2026, 1, 30), on(2026, 5, 29), on(2026, 7, 31)}},
        {"0 0 * * 0#1,0L", start, {on(2026, 1, 4), on(2026, 1, 25), on(2026, 2, 1)}},
    });
}

TEST_CASE("a day needs only one of a restricted day of the month and day of the week", "[cron][next]") {
    const auto start = on(2026, 3, 1);  // a Sunday
    check({
        {"0 0 13 * 5", start, {on(2026, 3, 6), on(2026, 3, 13), on(2026, 3, 20), on(2026, 3, 27), on(2026, 4, 3)}},
        {"0 0 10 * 1", start, {on(2026, 3, 2), on(2026, 3, 9), on(2026, 3, 10), on(2026, 3, 16)}},
        {"0 0 L * 1#1", start, {on(2026, 3, 2), on(2026, 3, 31), on(2026, 4, 6)}},
        // A step is a restriction: other crons of the standard rule agree, Debian's does not.
        {"0 0 */15 * 1",
         start,
         {on(2026, 3, 2), on(2026, 3, 9), on(2026, 3, 16), on(2026, 3, 23), on(2026, 3, 30), on(2026, 3, 31),
          on(2026, 4, 1)}},
        {"0 0 31 2 1", start, {on(2027, 2, 1), on(2027, 2, 8)}},
    });
}

TEST_CASE("a date that is 28 years or 40 years away is found", "[cron][next]") {
    constexpr auto fifth_monday_of_february = cron::every<"0 0 ? 2 1#5">;
    STATIC_REQUIRE(fifth_monday_of_february.next(on(2016, 3, 1)) == on(2044, 2, 29));
    STATIC_REQUIRE(fifth_monday_of_february.next(on(2072, 3, 1)) == on(2112, 2, 29));
    STATIC_REQUIRE(fifth_monday_of_february.previous(on(2112, 2, 29)) == on(2072, 2, 29));
}

TEST_CASE("intervals count from 1970 in UTC, in each zone", "[cron][next]") {
    check({
        {"@every 90s", on(1970, 1, 1), {on(1970, 1, 1, 90s), on(1970, 1, 1, 180s)}},
        {"@every 1d", on(2026, 1, 1, 5h), {on(2026, 1, 2), on(2026, 1, 3)}},
        {"@every 7h", on(1969, 12, 31), {on(1969, 12, 31, 3h), on(1969, 12, 31, 10h), on(1969, 12, 31, 17h)}},
    });
    CHECK(read("@every 1d").next(on(2026, 1, 1, 5h), cron::fixed_offset{5h + 45min}) == on(2026, 1, 2));
}

TEST_CASE("next and previous are strict, and know fractions of a second", "[cron][next]") {
    constexpr auto noon = cron::every<"0 12 * * *">;
    STATIC_REQUIRE(noon.next(on(2026, 1, 1, 12h)) == on(2026, 1, 2, 12h));
    STATIC_REQUIRE(noon.next(on(2026, 1, 1, 12h) - 1us) == on(2026, 1, 1, 12h));
    STATIC_REQUIRE(noon.next(on(2026, 1, 1, 12h) + 1us) == on(2026, 1, 2, 12h));
    STATIC_REQUIRE(noon.previous(on(2026, 1, 2, 12h)) == on(2026, 1, 1, 12h));
    STATIC_REQUIRE(noon.previous(on(2026, 1, 2, 12h) + 1us) == on(2026, 1, 2, 12h));
    STATIC_REQUIRE(noon.previous(on(2026, 1, 2, 12h) - 1us) == on(2026, 1, 1, 12h));
    STATIC_REQUIRE(noon.next(time_point{-1us}) == on(1970, 1, 1, 12h));
    STATIC_REQUIRE(noon.previous(time_point{-1us}) == on(1969, 12, 31, 12h));
}

TEST_CASE("a time that microseconds cannot hold is the largest or the smallest", "[cron][next]") {
    constexpr auto yearly = cron::every<"@yearly">;
    STATIC_REQUIRE(yearly.next(time_point::max()) == time_point::max());
    STATIC_REQUIRE(yearly.previous(time_point::min()) == time_point::min());
    STATIC_REQUIRE(cron::every<"@every 1d">.next(time_point::max()) == time_point::max());
    STATIC_REQUIRE(cron::every<"@every 1d">.previous(time_point::min()) == time_point::min());
}

TEST_CASE("masks that allow nothing have no next time", "[cron][next]") {
    cron::expression never;
    never.fields.months = 0;
    CHECK(never.next(on(2026, 1, 1)) == time_point::max());
    CHECK(never.previous(on(2026, 1, 1)) == time_point::min());
}

TEST_CASE("the calendar agrees with that of std::chrono", "[cron][calendar]") {
    for (std::int64_t day = -800'000; day < 800'000; day += 37) {
        const std::chrono::year_month_day expected{sys_days{std::chrono::days{day}}};
        const auto found = cron::detail::date_from_days(day);
        if (found.year != static_cast<int>(expected.year()) ||
            found.month != static_cast<int>(static_cast<unsigned>(expected.month())) ||
            found.day != static_cast<int>(static_cast<unsigned>(expected.day())) ||
            cron::detail::days_from_date(found) != day ||
            cron::detail::weekday_of(day) != static_cast<int>(std::chrono::weekday{sys_days{expected}}.c_encoding()))
            FAIL(day);
    }
}

constexpr std::array texts{"* * * * *",         "*/7 * * * *",   "30 2 * * *",   "0 */5 * * 1-5",    "5/15 3/4 * * *",
                           "0 0 L * *",         "0 0 LW * 3",    "15 6 15W * *", "0 12 * * 5L",      "0 0 13 * 5#2",
                           "1-3,58 0,23 1 * ?", "45 23 31 12 *", "0 0 1W * 0",   "0 8-18/3 */3 * *", "20 4 28-31 2 *"};

// Whether the expression has this minute, straight from the masks.
bool fits(const cron::masks& m, time_point t) {
    const auto day = std::chrono::floor<std::chrono::days>(t);
    const std::chrono::year_month_day date{day};
    const auto minute = std::chrono::duration_cast<std::chrono::minutes>(t - day).count();
    const unsigned month = static_cast<unsigned>(date.month());
    return (m.minutes >> (minute % 60) & 1) != 0 && (m.hours >> (minute / 60) & 1) != 0 &&
           (m.months >> month & 1) != 0 &&
           (cron::detail::days_of(m, static_cast<int>(date.year()), static_cast<int>(month)) >>
                static_cast<unsigned>(date.day()) &
            1) != 0;
}

TEST_CASE("next is the first minute that fits, and previous goes back to it", "[cron][next]") {
    for (const std::string_view text : texts) {
        INFO(text);
        const auto e = read(text);
        time_point expected = e.next(on(2027, 12, 20));
        time_point last = e.previous(expected);
        CHECK(last <= on(2027, 12, 20));
        for (time_point t = on(2027, 12, 20) + 1min; t < on(2028, 3, 5); t += 1min) {
            if (!fits(e.fields, t)) {
                if (expected == t) FAIL("fires at a minute that does not fit");
                continue;
            }
            if (expected != t || e.previous(t + 1s) != t || e.previous(t) != last) FAIL("misses a minute that fits");
            last = t;
            expected = e.next(t);
        }
    }
}

}  // namespace unit_cron_next
