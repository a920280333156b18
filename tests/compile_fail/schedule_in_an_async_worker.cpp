// expect: pgq: a job type of an async_worker has a schedule, which only pgq::worker fires\. Remove the policy

#include "fakes.hpp"

#include <pgq/asio.hpp>
#include <pgq/schedule/cron.hpp>

using timed =
    pgq::queue<pgq::job<fakes::mail, pgq::schedule::cron<"@daily">>, pgq::driver::asio_libpq, fakes::serializer>;

void run(timed& jobs) {
    pgq::async_worker w{jobs, [](const fakes::mail&) {}};
    (void)w.health();
}
