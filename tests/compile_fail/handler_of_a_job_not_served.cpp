// expect: pgq: a handler takes a job type of the queue that this worker does not serve\. Add the type to pgq::serving
// within: 10 lines

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/worker.hpp>

using fine = pgq::queue<fakes::mail, fakes::picture, pgq::driver::memory, fakes::serializer>;

void start(fine& jobs) {
    pgq::worker w{pgq::serving<fakes::mail>(jobs), [](const fakes::mail&) {}, [](const fakes::picture&) {}};
    (void)w.run();
}
