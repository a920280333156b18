// expect: pgq: pgq::serving names no job type\. Write the types that the worker runs
// within: 10 lines

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/worker.hpp>

using fine = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer>;

void start(fine& jobs) {
    pgq::worker w{pgq::serving<>(jobs), [](const fakes::mail&) {}};
    (void)w.run();
}
