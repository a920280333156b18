// expect: pgq: a worker got options that are not its own\. Give it pgq::worker_options
// within: 10 lines

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/worker.hpp>

using fine = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer>;

void used(fine& jobs) {
    pgq::worker w{jobs, pgq::enqueue_options{}, [](const fakes::mail&) {}};
    (void)w.run();
}
