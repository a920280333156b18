// expect: pgq: the driver of the queue cannot deliver a job at most once\. Use driver::libpq

#include "fakes.hpp"

#include <pgq/delivery/at_most_once.hpp>

using fine = pgq::queue<pgq::job<fakes::mail, pgq::delivery::at_most_once>, fakes::driver, fakes::serializer>;

void start() {
    fakes::handle<fine>([](const fakes::mail&) {});
}
