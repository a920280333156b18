#include <pgq/cron/any_zone.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace unit_cron_any_zone {

using namespace std::chrono_literals;
using pgq::cron::any_zone;
using pgq::cron::find_offset;

namespace {

constexpr std::chrono::sys_seconds some_time{1'000'000s};

std::optional<std::chrono::seconds> offset_of(std::string_view text) {
    const auto zone = find_offset(text);
    return zone ? std::optional{zone->period_at(some_time).offset} : std::nullopt;
}

}  // namespace

TEST_CASE("any_zone is the zone that it was made of, and UTC without one", "[cron][zone]") {
    CHECK(any_zone{}.period_at(some_time).offset == 0s);
    CHECK(any_zone{pgq::cron::fixed_offset{-5h}}.period_at(some_time).offset == -5h);
    const any_zone copy = any_zone{pgq::cron::fixed_offset{1h}};
    CHECK(any_zone{copy}.period_at(some_time).offset == 1h);
}

TEST_CASE("UTC and offsets need no database of time zones", "[cron][zone]") {
    CHECK(offset_of("UTC") == 0s);
    CHECK(offset_of("+05:45") == 5h + 45min);
    CHECK(offset_of("-03:00") == -3h);
    CHECK(offset_of("+23:59") == 23h + 59min);
    for (const auto* text :
         {"", "utc", "Europe/Berlin", "+5:45", "+05:45 ", "05:45", "+24:00", "+05:60", "+0a:00", "+05-45", "*05:45"})
        CHECK_FALSE(offset_of(text));
}

}  // namespace unit_cron_any_zone
