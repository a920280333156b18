// expect: pgq: pgq::serving names a job type twice\. Write each type once\.
// within: 10 lines

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/worker.hpp>

using fine = pgq::queue<fakes::mail, fakes::picture, pgq::driver::memory, pgq::job<fakes::stranger>, fakes::serializer>;

void start(fine& jobs) {
    pgq::worker w{pgq::serving<fakes::mail, fakes::stranger, fakes::mail>(jobs), [](const fakes::mail&) {}};
    (void)w.run();
}
