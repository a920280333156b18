#include <pgq/time/duration_words.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <string>

namespace unit_time_duration_words {

using namespace std::chrono_literals;
using pgq::duration;
using pgq::detail::duration_in_words;

TEST_CASE("a span of time has its two largest units", "[time][duration_words]") {
    const auto [span, text] = GENERATE(table<duration, std::string>({{10s, "10s"},
                                                                     {59s + 999ms, "59s"},
                                                                     {60s, "1min"},
                                                                     {192s, "3min 12s"},
                                                                     {1h, "1h"},
                                                                     {1h + 59s, "1h"},
                                                                     {1h + 2min + 3s, "1h 2min"},
                                                                     {24h, "1d"},
                                                                     {24h + 59min, "1d"},
                                                                     {49h, "2d 1h"},
                                                                     {duration::max(), "106751d 23h"}}));
    CHECK(duration_in_words(span) == text);
}

TEST_CASE("a span below ten seconds is one number", "[time][duration_words]") {
    const auto [span, text] = GENERATE(table<duration, std::string>({{0ns, "0ms"},
                                                                     {1us, "0.001ms"},
                                                                     {1500us, "1.5ms"},
                                                                     {63'680us, "63.68ms"},
                                                                     {1005us, "1.005ms"},
                                                                     {2037ms + 600us, "2.038s"},
                                                                     {9s, "9s"},
                                                                     {9s + 50ms, "9.05s"}}));
    CHECK(duration_in_words(span) == text);
}

TEST_CASE("a negative span has a sign", "[time][duration_words]") {
    CHECK(duration_in_words(-90s) == "-1min 30s");
    CHECK(duration_in_words(duration::min()) == "-106751d 23h");
}

}  // namespace unit_time_duration_words
