#include <pgq/cron.hpp>
#include <pgq/timezones.hpp>

#include <chrono>

// On 25 October the clock of Berlin shows 02:30 twice.
bool run_timezones() {
    using namespace std::chrono;
    constexpr auto at_night = pgq::cron::every<"30 2 * * *">;
    const auto berlin = pgq::time_zone::find("Europe/Berlin").value();
    const sys_seconds day_before = sys_days{2026y / October / 24} + 12h;
    return at_night.next(day_before, berlin) == sys_days{2026y / October / 25} + 30min;
}
