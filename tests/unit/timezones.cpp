#include <pgq/cron.hpp>
#include <pgq/timezones.hpp>

#include <support/catch.hpp>

#include <chrono>
#include <string>

namespace unit_timezones {

using namespace pgq;
using namespace std::chrono_literals;

constexpr std::chrono::sys_seconds on(int year, unsigned month, unsigned day, std::chrono::seconds time = 0s) {
    return std::chrono::sys_seconds{
               std::chrono::sys_days{std::chrono::year{year} / std::chrono::month{month} / std::chrono::day{day}}} +
           time;
}

TEST_CASE("a zone is found by its IANA name", "[timezones]") {
    const auto berlin = time_zone::find("Europe/Berlin");
    REQUIRE(berlin);
    CHECK(berlin->name() == "Europe/Berlin");
    const auto summer = berlin->period_at(on(2026, 7, 1));
    CHECK(summer.begin == on(2026, 3, 29, 1h));
    CHECK(summer.end == on(2026, 10, 25, 1h));
    CHECK(summer.offset == 2h);
    CHECK(time_zone::find("UTC").value().period_at(on(2026, 7, 1)).offset == 0s);
}

TEST_CASE("an unknown zone is errc::invalid_option, and its text says how to correct it", "[timezones]") {
    for (const char* name : {"Europe/Berln", "", "../../etc/passwd"}) {
        INFO(name);
        const auto zone = time_zone::find(name);
        REQUIRE_FALSE(zone);
        CHECK(zone.error() == errc::invalid_option);
        CHECK_THAT(zone.error().text(),
                   Catch::Contains("there is no such time zone") && Catch::Contains("Europe/Berlin"));
    }
}

TEST_CASE("an expression fires by the clock of an IANA zone", "[timezones][cron]") {
    constexpr auto at_night = cron::every<"30 2 * * *">;
    const auto berlin = time_zone::find("Europe/Berlin").value();
    CHECK(at_night.next(on(2026, 3, 28, 12h), berlin) == on(2026, 3, 29, 1h));       // skipped: at the end of the gap
    CHECK(at_night.next(on(2026, 10, 24, 12h), berlin) == on(2026, 10, 25, 30min));  // twice: the first time
    CHECK(at_night.next(on(2026, 10, 25, 30min), berlin) == on(2026, 10, 26, 90min));
    const auto kathmandu = time_zone::find("Asia/Kathmandu").value();
    CHECK(at_night.next(on(2026, 1, 1), kathmandu) == on(2026, 1, 1, 20h + 45min));
    const auto lord_howe = time_zone::find("Australia/Lord_Howe").value();
    CHECK(cron::every<"15 2 * * *">.next(on(2026, 10, 3), lord_howe) == on(2026, 10, 3, 15h + 30min));
}

}  // namespace unit_timezones
