// expect: pgq: the queue of a worker is const\. Give the worker a queue that is not
// within: 10 lines

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/worker.hpp>

using fine = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer>;

void start(const fine& jobs) {
    pgq::worker w{pgq::serving<fakes::mail>(jobs), [](const fakes::mail&) {}};
    (void)w.run();
}
