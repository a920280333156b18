// expect: pgq: the queue's driver cannot deliver a job at most once\. Use driver::libpq or driver::memory

#include "fakes.hpp"

#include <pgq/delivery/at_most_once.hpp>

using fine = pgq::queue<pgq::job<fakes::mail, pgq::delivery::at_most_once>, fakes::driver, fakes::serializer>;

void start() {
    fakes::handle<fine>([](const fakes::mail&) {});
}
