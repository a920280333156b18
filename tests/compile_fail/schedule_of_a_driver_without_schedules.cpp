// expect: pgq: this driver cannot run schedules\. Use another driver, or give its session the members of

#include "fakes.hpp"

#include <pgq/schedule/cron.hpp>
#include <pgq/worker.hpp>

using plain = pgq::queue<pgq::job<fakes::mail, pgq::schedule::cron<"@daily">>, test::fake_driver<>, fakes::serializer>;

void run(plain& jobs) {
    pgq::worker w{jobs, [](const fakes::mail&) {}};
    (void)w.run();
}
