#include <pgq/job/scheduled_at.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace unit_job_scheduled_at {

using namespace std::chrono_literals;
using pgq::time_point;
using pgq::detail::format_tick;
using pgq::detail::parse_tick;

TEST_CASE("a tick is written as ISO 8601 in UTC with microseconds, and read back", "[job][schedule]") {
    const time_point night = std::chrono::sys_days{std::chrono::year{2028} / 2 / 29} + 3h + 4min + 5s + 6us;
    CHECK(format_tick(night) == "2028-02-29T03:04:05.000006Z");
    CHECK(parse_tick("2028-02-29T03:04:05.000006Z") == night);
    CHECK(format_tick(time_point{-1us}) == "1969-12-31T23:59:59.999999Z");
    for (const auto t : {time_point{}, time_point{-1us}, night}) CHECK(parse_tick(format_tick(t)) == t);
}

TEST_CASE("a time that the text has no room for becomes the nearest that it has", "[job][schedule]") {
    CHECK(format_tick(time_point::max()) == "9999-12-31T23:59:59.999999Z");
    CHECK(format_tick(time_point::min()) == "0000-01-01T00:00:00.000000Z");
}

TEST_CASE("another text is no tick", "[job][schedule]") {
    for (const auto* text :
         {"", "2028-02-29", "2028-02-30T03:04:05.000006Z", "2028-02-29 03:04:05.000006Z", "2028-02-29T03:04:05.000006",
          "2028-02-29T03:04:0x.000006Z", "2028-00-29T03:04:05.000006Z"})
        CHECK_FALSE(parse_tick(text));
}

}  // namespace unit_job_scheduled_at
