#include <pgq/cron.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/scheduler.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/time/manual_clock.hpp>
#include <pgq/timezones.hpp>
#include <pgq/worker.hpp>

#include <support/catch.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/running_on_thread.hpp>

#include <atomic>

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

TEST_CASE("a worker fires the schedule of a job type by the clock of a zone, and those of others", "[timezones]") {
    using timed = pgq::queue<pgq::job<test::note, schedule::cron<"30 2 * * *", schedule::named_zone<"Europe/Berlin">>>,
                             pgq::driver::memory, pgq::serializer::json>;
    manual_clock clock{on(2026, 10, 24, 12h)};
    timed jobs{driver::memory::with_clock(clock)};
    scheduler other{jobs, {.zones = find_zone}};
    other.every("15 2 * * *", test::note{7}, {.name = "other", .zone = "Australia/Lord_Howe"}).value();
    other.declare().value();
    std::atomic<int> own{0}, others{0};
    worker w{jobs, [&](const test::note& n) { ++(n.n == 7 ? others : own); }};
    test::running_on_thread runs{w};
    REQUIRE(test::eventually([&] { return other.list().value().size() == 2; }));
    CHECK(other.list().value()[0].zone == "Europe/Berlin");
    CHECK(other.list().value()[0].next_at == on(2026, 10, 25, 30min));
    clock.advance(12h + 30min - 1s);
    REQUIRE(test::eventually([&] { return others == 1; }));  // its tick was at 15:15
    CHECK(own == 0);
    clock.advance(1s);
    CHECK(test::eventually([&] { return own == 1; }));
    clock.advance(1h);  // 2:30 comes again
    REQUIRE(test::eventually([&] { return other.list().value()[0].next_at == on(2026, 10, 26, 90min); }));
    CHECK(runs.stop().has_value());
    CHECK(own == 1);
}

TEST_CASE("a worker whose job type has a schedule in an unknown zone does not start", "[timezones]") {
    using timed = pgq::queue<pgq::job<test::note, schedule::cron<"@daily", schedule::named_zone<"Europe/Berln">>>,
                             pgq::driver::memory, pgq::serializer::json>;
    timed jobs;
    (void)jobs.enqueue(test::note{}).value();
    worker w{jobs, {.until = run_until::empty}, [](const test::note&) {}};
    const auto done = w.run();
    CHECK(done.error() == errc::invalid_option);
    CHECK_THAT(done.error().text(), Catch::Contains("there is no such time zone"));
    CHECK(jobs.counts<test::note>().value().ready == 1);
}

}  // namespace unit_timezones
