// expect: pgq: worker_options stand behind a handler\. Write them behind the queue
// within: 10 lines

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/worker.hpp>

using fine = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer>;

void used(fine& jobs) {
    pgq::worker w{jobs, [](const fakes::mail&) {}, pgq::worker_options{.max_attempts = 3}};
    (void)w.run();
}
