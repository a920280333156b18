#include <pgq/time/time_text.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <string>

namespace unit_time_time_text {

using namespace std::chrono_literals;
using pgq::time_point;
using pgq::detail::read_time;

TEST_CASE("a time of RFC 3339 is read", "[time][time_text]") {
    const time_point day = std::chrono::sys_days{2026y / 3 / 29};
    const auto [text, time] =
        GENERATE_COPY(table<std::string, time_point>({{"2026-03-29", day},
                                                      {"2026-03-29T01:02:03Z", day + 1h + 2min + 3s},
                                                      {"2026-03-29t01:02:03z", day + 1h + 2min + 3s},
                                                      {"2026-03-29 01:02:03.25Z", day + 1h + 2min + 3s + 250ms},
                                                      {"2026-03-29T01:02:03.1234567Z", day + 1h + 2min + 3s + 123456us},
                                                      {"2026-03-29T01:00:00+05:45", day - 4h - 45min},
                                                      {"2026-03-29T01:00:00-01:30", day + 2h + 30min},
                                                      {"1969-12-31T23:59:59Z", time_point{-1s}}}));
    CAPTURE(text);
    CHECK(read_time(text) == time);
}

TEST_CASE("what is no time of the calendar is not read", "[time][time_text]") {
    const auto* text = GENERATE("", "2026", "2026-3-29", "2026-02-29", "2026-13-01", "2026-00-01", "-026-01-01",
                                "2026-03-29T", "2026-03-29T01:00:00", "2026-03-29T01:00Z", "2026-03-29T24:00:00Z",
                                "2026-03-29T23:60:00Z", "2026-03-29T23:59:60Z", "2026-03-29T01:00:00.Z",
                                "2026-03-29T01:00:00+0545", "2026-03-29T01:00:00+24:00", "2026-03-29T01:00:00Zx",
                                "2026-03-29T-1:00:00Z", " 2026-03-29", "2026-03-29 ");
    CAPTURE(text);
    CHECK_FALSE(read_time(text));
}

}  // namespace unit_time_time_text
