#include <pgq/cron.hpp>

#include <support/catch.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace unit_cron_grammar {

using namespace pgq;

constexpr std::uint64_t bits(std::initializer_list<int> values) {
    std::uint64_t mask = 0;
    for (const int value : values) mask |= 1ULL << value;
    return mask;
}

cron::masks fields(std::string_view text) {
    INFO(text);
    const auto read = cron::expression::parse(text);
    REQUIRE(read);
    return read->fields;
}

// The error: where, which character, and the sentence of the compiler.
cron::problem problem(std::string_view text) { return cron::detail::parse(text).error; }

using cron::field;
using cron::mistake;

TEST_CASE("a star allows all values of a field", "[cron][grammar]") {
    const auto every_minute = fields("* * * * *");
    CHECK(every_minute.seconds == 1);
    CHECK(every_minute.minutes == (1ULL << 60) - 1);
    CHECK(every_minute.hours == (1U << 24) - 1);
    CHECK(every_minute.months == (1U << 13) - 2);
    CHECK(every_minute.any_day);
    CHECK(every_minute.any_weekday);
    CHECK(fields("* * * * * *").seconds == (1ULL << 60) - 1);
}

TEST_CASE("fields have numbers, lists, ranges and steps", "[cron][grammar]") {
    CHECK(fields("7 * * * *").minutes == bits({7}));
    CHECK(fields("07 * * * *").minutes == bits({7}));
    CHECK(fields("1,3,59 * * * *").minutes == bits({1, 3, 59}));
    CHECK(fields("3-5 * * * *").minutes == bits({3, 4, 5}));
    CHECK(fields("5-5 * * * *").minutes == bits({5}));
    CHECK(fields("*/20 * * * *").minutes == bits({0, 20, 40}));
    CHECK(fields("10-20/5 * * * *").minutes == bits({10, 15, 20}));
    CHECK(fields("5/25 * * * *").minutes == bits({5, 30, 55}));
    CHECK(fields("1-2,10-20/10,*/30 * * * *").minutes == bits({0, 1, 2, 10, 20, 30}));
    CHECK(fields("0 0 */10 * *").days == bits({1, 11, 21, 31}));
    CHECK(fields("0 0 1 */5 *").months == bits({1, 6, 11}));
    CHECK(fields("*/60 * * * *").minutes == bits({0}));
}

TEST_CASE("months and weekdays have names, in upper and lower case", "[cron][grammar]") {
    CHECK(fields("0 0 1 JAN,feb,Dec *").months == bits({1, 2, 12}));
    CHECK(fields("0 0 1 mar-MAY *").months == bits({3, 4, 5}));
    CHECK(fields("0 0 * * sun,Mon,SAT").weekdays == bits({0, 1, 6}));
    CHECK(fields("0 0 * * MON-FRI/2").weekdays == bits({1, 3, 5}));
    CHECK(fields("0 0 * * FRIL").last_weekdays == bits({5}));
    CHECK(fields("0 0 * * wed#2").nth_weekdays == 1ULL << 10);
}

TEST_CASE("Sunday is 0 and 7", "[cron][grammar]") {
    CHECK(fields("0 0 * * 0") == fields("0 0 * * 7"));
    CHECK(fields("0 0 * * 5-7").weekdays == bits({0, 5, 6}));
    CHECK(fields("0 0 * * 7L").last_weekdays == bits({0}));
    CHECK(fields("0 0 * * 7#1").nth_weekdays == 1);
    CHECK(fields("0 0 * * 1/2").weekdays == bits({0, 1, 3, 5}));
}

TEST_CASE("days have L, LW, nW, nL, n#k and ?", "[cron][grammar]") {
    CHECK(fields("0 0 L * *").last_day);
    CHECK(fields("0 0 l * *").last_day);
    CHECK(fields("0 0 LW * *").last_workday);
    CHECK_FALSE(fields("0 0 LW * *").last_day);
    CHECK(fields("0 0 1w,15W * *").near_days == bits({1, 15}));
    const auto mixed = fields("0 0 10,L,15W * 1,5L,2#3");
    CHECK(mixed.days == bits({10}));
    CHECK(mixed.last_day);
    CHECK(mixed.near_days == bits({15}));
    CHECK(mixed.weekdays == bits({1}));
    CHECK(mixed.last_weekdays == bits({5}));
    CHECK(mixed.nth_weekdays == 1ULL << 16);
    CHECK(fields("0 0 ? * 1") == fields("0 0 * * 1"));
    CHECK(fields("0 0 1 * ?") == fields("0 0 1 * *"));
    CHECK(fields("0 0 ? * ?") == fields("0 0 * * *"));
}

TEST_CASE("macros stand for fields or an interval, in upper and lower case", "[cron][grammar]") {
    CHECK(fields("@hourly") == fields("0 * * * *"));
    CHECK(fields("@daily") == fields("0 0 * * *"));
    CHECK(fields("@midnight") == fields("0 0 * * *"));
    CHECK(fields("@weekly") == fields("0 0 * * 0"));
    CHECK(fields("@monthly") == fields("0 0 1 * *"));
    CHECK(fields("@yearly") == fields("0 0 1 1 *"));
    CHECK(fields("@ANNUALLY") == fields("0 0 1 1 *"));
    CHECK(fields("@every 90s").interval == 90);
    CHECK(fields("@Every 15M").interval == 900);
    CHECK(fields("@every 2h").interval == 7'200);
    CHECK(fields("@every 1d").interval == 86'400);
    CHECK(fields("@every 1h30m").interval == 5'400);
    CHECK(fields("  @daily ") == fields("@daily"));
}

TEST_CASE("blanks and tabs separate fields, and stand before and after them", "[cron][grammar]") {
    CHECK(fields(" \t0   3 \t* * 1  ") == fields("0 3 * * 1"));
}

TEST_CASE("an expression follows real time if its second, minute or hour begins with a star", "[cron][grammar]") {
    CHECK(fields("* 2 * * *").follows_real_time);
    CHECK(fields("*/30 2 * * *").follows_real_time);
    CHECK(fields("0 */2 * * *").follows_real_time);
    CHECK(fields("* 0 2 * * *").follows_real_time);
    CHECK_FALSE(fields("30 2 * * *").follows_real_time);
    CHECK_FALSE(fields("0 0-23/2 */2 * *").follows_real_time);
    CHECK_FALSE(fields("0 30 2 * * *").follows_real_time);
    CHECK(fields("0 30 2 * * *") == fields("30 2 * * *"));
}

TEST_CASE("an error names what is wrong, the field and the character", "[cron][errors]") {
    const auto is = [](std::string_view text, mistake what, field where, std::size_t character) {
        const cron::problem found = problem(text);
        INFO(text << ": " << static_cast<int>(found.what) << ' ' << static_cast<int>(found.where) << ' '
                  << found.character);
        CHECK(found == cron::problem{what, where, character});
    };
    is("", mistake::number_of_fields, field::whole, 1);
    is("* * * *", mistake::number_of_fields, field::whole, 8);
    is("* * * * * * *", mistake::number_of_fields, field::whole, 13);
    is("x * * * *", mistake::unexpected_character, field::minute, 1);
    is("1.5 * * * *", mistake::unexpected_character, field::minute, 2);
    is("-1 * * * *", mistake::unexpected_character, field::minute, 1);
    is("1-2-3 * * * *", mistake::unexpected_character, field::minute, 4);
    is("*5 * * * *", mistake::unexpected_character, field::minute, 2);
    is(std::string_view{"\0 * * * *", 9}, mistake::unexpected_character, field::minute, 1);
    is("1,,2 * * * *", mistake::missing_value, field::minute, 3);
    is("1, * * * *", mistake::missing_value, field::minute, 3);
    is("1- * * * *", mistake::missing_value, field::minute, 3);
    is("* * * * 1/", mistake::missing_value, field::weekday, 11);
    is("* * * * 1#", mistake::missing_value, field::weekday, 11);
    is("* * * FOO *", mistake::unknown_name, field::month, 7);
    is("* * * * MONDAY", mistake::unexpected_character, field::weekday, 12);
    is("* * * * MON-XYZ", mistake::unknown_name, field::weekday, 13);
    is("60 * * * *", mistake::out_of_range, field::minute, 1);
    is("60 * * * * *", mistake::out_of_range, field::second, 1);
    is("0 24 * * *", mistake::out_of_range, field::hour, 3);
    is("0 0 0 * *", mistake::out_of_range, field::day, 5);
    is("0 0 32W * *", mistake::out_of_range, field::day, 5);
    is("0 0 * 13 *", mistake::out_of_range, field::month, 7);
    is("0 0 * * 8", mistake::out_of_range, field::weekday, 9);
    is("0 1-99999999999999999999 * * *", mistake::out_of_range, field::hour, 5);
    is("50-10 * * * *", mistake::range_runs_backwards, field::minute, 1);
    is("0 1,22-5/2 * * *", mistake::range_runs_backwards, field::hour, 5);
    is("0 0 * * FRI-SUN", mistake::range_runs_backwards, field::weekday, 9);
    is("*/0 * * * *", mistake::bad_step, field::minute, 3);
    is("*/61 * * * *", mistake::bad_step, field::minute, 3);
    is("0 0 * * */8", mistake::bad_step, field::weekday, 11);
    is("? * * * *", mistake::misplaced_letter, field::minute, 1);
    is("0 L * * *", mistake::misplaced_letter, field::hour, 3);
    is("0 0 1,? * *", mistake::misplaced_letter, field::day, 7);
    is("0 0 5#2 * *", mistake::misplaced_letter, field::day, 6);
    is("0 0 1-5W * *", mistake::misplaced_letter, field::day, 8);
    is("0 0 * * L", mistake::misplaced_letter, field::weekday, 9);
    is("0 0 * * 5W", mistake::misplaced_letter, field::weekday, 10);
    is("0 0 * * 5L/2", mistake::misplaced_letter, field::weekday, 9);
    is("0 0 * * 5#0", mistake::bad_occurrence, field::weekday, 11);
    is("0 0 * * 5#6", mistake::bad_occurrence, field::weekday, 11);
    is("0 0 31 2 *", mistake::never_comes, field::day, 5);
    is("0 0 30,31 2 ?", mistake::never_comes, field::day, 5);
    is("0 0 0 31W 2,4,6,9,11 *", mistake::never_comes, field::day, 7);
    is("@often", mistake::unknown_macro, field::whole, 1);
    is("@daily 5", mistake::unexpected_character, field::whole, 8);
    is("@every", mistake::bad_interval, field::interval, 7);
    is("@every 5", mistake::bad_interval, field::interval, 9);
    is("@every 5x", mistake::bad_interval, field::interval, 9);
    is("@every 0s", mistake::bad_interval, field::interval, 8);
    is("@every 5m 3s", mistake::bad_interval, field::interval, 10);
    is("@every 36501d", mistake::bad_interval, field::interval, 8);
    is("@every 99999999999999999999999999h", mistake::bad_interval, field::interval, 8);
}

TEST_CASE("a date that comes in some year is no error", "[cron][errors]") {
    CHECK(problem("0 0 29 2 *").what == mistake::none);
    CHECK(problem("0 0 31 2,3 *").what == mistake::none);
    CHECK(problem("0 0 31 2 1").what == mistake::none);  // on Mondays
    CHECK(problem("0 0 L 2 *").what == mistake::none);
    CHECK(problem("0 0 * 2 1#5").what == mistake::none);
    CHECK(problem("@every 36500d").what == mistake::none);
}

TEST_CASE("at run time a wrong expression is errc::invalid_cron, and its text says how to correct it",
          "[cron][errors]") {
    const auto text = [](std::string_view wrong) {
        const auto read = cron::expression::parse(wrong);
        REQUIRE_FALSE(read);
        CHECK(read.error() == errc::invalid_cron);
        CHECK(read.error() == condition::configuration);
        return read.error().text();
    };
    CHECK(text("0 22-5 * * *") ==
          "cron expression, hour, character 3 ('2'): the range runs backwards; write two ranges, such as 22-23,0-5 for "
          "an hour");
    CHECK(
        text("0 0 32 * *") ==
        "cron expression, day of the month, character 5 ('3'): the number is out of range; write values from 1 to 31, "
        "ranges a-b, steps */n or a-b/n, lists a,b");
    CHECK(text("* * * *") ==
          "cron expression, character 8 (the end): there are not 5 or 6 fields; write minute, hour, day of the month, "
          "month and day of the week; write seconds first if there are six");
    CHECK(
        text("0 0 31 2 *") ==
        "cron expression, day of the month, character 5 ('3'): no month of the expression has such a day; write a day "
        "that one of the months has, or L for the last day of the month");
    CHECK_THAT(text("\xff * * * *"), Catch::Contains("character 1 (byte 0xff)"));
}

// Any text is read to its end or refused, and never more than that.
TEST_CASE("random texts are read or refused", "[cron][errors]") {
    constexpr std::string_view alphabet = "0123456789*/-,LW#? @everyJANMON\t";
    std::uint64_t state = 42;
    const auto random = [&state] {
        return state = state * 6364136223846793005ULL + 1442695040888963407ULL, state >> 33;
    };
    int accepted = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string text;
        for (auto length = random() % 16; length > 0; --length) text += alphabet[random() % alphabet.size()];
        text += " * * * *";
        const auto read = cron::detail::parse(text);
        if (read.error.what == mistake::none) ++accepted;
        else if (read.error.character < 1 || read.error.character > text.size() + 1) FAIL(text);
    }
    CHECK(accepted > 0);
}

template <cron::literal Text>
    requires cron::valid<Text>
struct policy {
    static constexpr cron::expression when = cron::every<Text>;
};
template <cron::expression E>
struct by_value {};

TEST_CASE("an expression is checked by the compiler and is a template argument", "[cron][every]") {
    STATIC_REQUIRE(cron::every<"*/15 9 * * MON-FRI">.fields.weekdays == 0b111110);
    STATIC_REQUIRE(policy<"@weekly">::when == cron::every<"0 0 * * SUN">);
    STATIC_REQUIRE(std::is_same_v<by_value<cron::every<"@weekly">>, by_value<cron::every<"0 0 * * 7">>>);
    STATIC_REQUIRE(!std::is_same_v<by_value<cron::every<"@weekly">>, by_value<cron::every<"@daily">>>);
    CHECK(cron::expression::parse("*/15 9 * * MON-FRI").value() == cron::every<"*/15 9 * * MON-FRI">);
}

}  // namespace unit_cron_grammar
