// The time zones and the options of a policy of docs/guides/schedules.md.
// flags: -DUSE_OS_TZDB=1

#include <pgq/driver/libpq.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/timezones.hpp>

#include <chrono>
#include <string_view>

namespace app {
struct clean_up {
    static constexpr std::string_view entrypoint = "clean_up";
    int keep_days = 30;
};
struct report {
    static constexpr std::string_view entrypoint = "report";
    int days = 1;
};

using namespace std::chrono_literals;
using daily_report =
    pgq::job<report,
             pgq::schedule::cron<"30 2 * * *", pgq::schedule::named_zone<"Europe/Berlin">, pgq::schedule::jitter<5min>,
                                 pgq::schedule::all_missed<3, 24h>, pgq::schedule::overlap<pgq::overlap::skip>>>;
using queue = pgq::queue<pgq::job<clean_up>, daily_report, pgq::driver::libpq, pgq::serializer::json>;
}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::clean_up, keep_days);
BOOST_HANA_ADAPT_STRUCT(app::report, days);

void schedule(app::queue& jobs) {
    pgq::scheduler schedules{jobs, {.zones = pgq::find_zone}};
    schedules.every<"30 2 * * *">(app::clean_up{}, {.zone = "Europe/Berlin"}).value();
}

void work(app::queue& jobs) {
    pgq::worker w{jobs, [](const app::clean_up&) {}, [](const app::report&) {}};
    w.run().value();
}
