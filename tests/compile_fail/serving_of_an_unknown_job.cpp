// expect: pgq: pgq::serving names a job type that this queue does not have\. Add pgq::job<T> to the queue, or remove
// within: 10 lines

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/worker.hpp>

using fine = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer>;

void start(fine& jobs) {
    pgq::worker w{pgq::serving<fakes::mail, fakes::stranger>(jobs), [](const fakes::mail&) {},
                  [](const fakes::stranger&) {}};
    (void)w.run();
}
