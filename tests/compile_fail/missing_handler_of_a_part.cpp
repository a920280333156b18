// expect: pgq: a job type of this queue has no handler\. Give the worker a function
// within: 10 lines

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/worker.hpp>

using fine = pgq::queue<fakes::mail, fakes::picture, pgq::job<fakes::stranger>, pgq::driver::memory, fakes::serializer>;

void start(fine& jobs) {
    pgq::worker w{pgq::serving<fakes::mail, fakes::stranger>(jobs), [](const fakes::mail&) {}};
    (void)w.run();
}
