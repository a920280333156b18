#include <pgq/time/duration_text.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace unit_time_duration_text {

namespace {

using namespace std::chrono_literals;
using pgq::duration;

std::string text_of(duration d) {
    std::string out;
    pgq::detail::append_duration(out, d);
    return out;
}

}  // namespace

TEST_CASE("a time is written in the largest unit that is exact, and read back", "[time][duration_text]") {
    const auto [time, text] = GENERATE(table<duration, std::string>({{0s, "0s"},
                                                                     {2h, "2h"},
                                                                     {90min, "90min"},
                                                                     {90s, "90s"},
                                                                     {1500ms, "1500ms"},
                                                                     {7us, "7us"},
                                                                     {duration::max(), "9223372036854775807ns"}}));
    CHECK(text_of(time) == text);
    CHECK(pgq::detail::read_duration(text) == time);
}

TEST_CASE("a negative time is written as zero", "[time][duration_text]") { CHECK(text_of(-1s) == "0s"); }

TEST_CASE("what is no time, or too long a time, is not read", "[time][duration_text]") {
    const auto* text = GENERATE("", "s", "7", "7 s", " 7s", "-7s", "7d", "7S", "2562048h", "99999999999999999999ns");
    CAPTURE(text);
    CHECK_FALSE(pgq::detail::read_duration(text));
}

}  // namespace unit_time_duration_text
