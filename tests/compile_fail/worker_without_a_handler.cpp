// expect: pgq: a job type of this queue has no handler\. Give the

#include "fakes.hpp"

#include <pgq/worker.hpp>

using both = pgq::queue<fakes::mail, fakes::picture, fakes::driver, fakes::serializer>;

void start(both& jobs) {
    pgq::worker w{jobs, [](const fakes::mail&) {}};
    (void)w.run();
}
