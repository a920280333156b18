#include <pgq/cron.hpp>

#include <support/catch.hpp>

#include <string>
#include <string_view>

namespace unit_cron_describe {

using namespace pgq;

std::string description(std::string_view text) { return describe(cron::expression::parse(text).value()); }

TEST_CASE("a description says at which times of the day", "[cron][describe]") {
    CHECK(description("* * * * *") == "Every minute, every day.");
    CHECK(description("*/5 * * * *") == "Every 5 minutes, every day.");
    CHECK(description("30 2 * * *") == "At 02:30, every day.");
    CHECK(description("0,30 8,17 * * *") == "At 08:00, 08:30, 17:00 and 17:30, every day.");
    CHECK(description("0 * * * *") == "At minute 0 of every hour, every day.");
    CHECK(description("0 9-17 * * *") == "At minute 0 in hour 9 to 17, every day.");
    CHECK(description("*/10 9-17 * * *") == "Every 10 minutes in hour 9 to 17, every day.");
    CHECK(description("* 3 * * *") == "Every minute in hour 3, every day.");
    CHECK(description("0 */2 * * *") == "At minute 0 of every 2nd hour from 00:00, every day.");
    CHECK(description("7-59/8 * * * *") == "At minute 7, 15, 23, 31, 39, 47 and 55 of every hour, every day.");
}

TEST_CASE("a description has seconds if there are any", "[cron][describe]") {
    CHECK(description("15 30 2 * * *") == "At 02:30:15, every day.");
    CHECK(description("* * * * * *") == "Every second, every day.");
    CHECK(description("*/15 * * * * *") == "Every 15 seconds, every day.");
    CHECK(description("5 * * * * *") == "At second 5 of every minute, every day.");
    CHECK(description("* 30 2 * * *") == "Every second, at minute 30 in hour 2, every day.");
}

TEST_CASE("a description says on which days", "[cron][describe]") {
    CHECK(description("0 9 * * 1-5") == "At 09:00, on Monday to Friday.");
    CHECK(description("0 9 * * SAT,SUN") == "At 09:00, on Sunday and Saturday.");
    CHECK(description("0 0 1,15 * *") == "At 00:00, on day 1 and 15 of the month.");
    CHECK(description("0 0 L 2 *") == "At 00:00, on the last day of the month in February.");
    CHECK(description("0 0 LW * *") == "At 00:00, on the last Monday to Friday of the month.");
    CHECK(description("0 0 15W * *") == "At 00:00, on the Monday to Friday nearest to day 15.");
    CHECK(description("0 0 * * 5#2,1#1") == "At 00:00, on the 1st Monday and the 2nd Friday of the month.");
    CHECK(description("0 0 * * 5L") == "At 00:00, on the last Friday of the month.");
    CHECK(description("0 0 13 * 5") == "At 00:00, on day 13 of the month or on Friday.");
    CHECK(description("0 0 * 1-3,12 *") == "At 00:00, every day in January to March and December.");
    CHECK(description("0 0 1 1,7 *") == "At 00:00, on day 1 of the month in January and July.");
}

TEST_CASE("a description says how long an interval is", "[cron][describe]") {
    CHECK(description("@every 90s") == "Every 1 minute and 30 seconds.");
    CHECK(description("@every 15m") == "Every 15 minutes.");
    CHECK(description("@every 2d") == "Every 2 days.");
}

}  // namespace unit_cron_describe
