// expect: pgq: a queue has no driver\. Add the

#include "fakes.hpp"

#include <pgq/worker.hpp>

// Code that uses a queue with a mistake adds no error.
using broken = pgq::queue<fakes::mail, fakes::serializer>;

void start() {
    broken jobs{};
    (void)jobs.enqueue(fakes::mail{});
    pgq::worker w{jobs, [](const fakes::mail&) {}};
    (void)w.run();
}
