// The time zones of docs/guides/schedules.md.
// flags: -DUSE_OS_TZDB=1

#include <pgq/driver/libpq.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/timezones.hpp>

#include <string_view>

namespace app {
struct clean_up {
    static constexpr std::string_view entrypoint = "clean_up";
    int keep_days = 30;
};
using queue = pgq::queue<pgq::job<clean_up>, pgq::driver::libpq, pgq::serializer::json>;
}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::clean_up, keep_days);

void schedule(app::queue& jobs) {
    pgq::scheduler schedules{jobs, {.zones = pgq::find_zone}};
    schedules.every<"30 2 * * *">(app::clean_up{}, {.zone = "Europe/Berlin"}).value();
}
