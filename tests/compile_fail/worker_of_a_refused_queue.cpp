// expect: pgq: no driver\. Say where the jobs live

#include "fakes.hpp"

#include <pgq/worker.hpp>

// What is built on a queue that was refused adds no error.
using broken = pgq::queue<fakes::mail, fakes::serializer>;

void start() {
    broken jobs{};
    (void)jobs.enqueue(fakes::mail{});
    pgq::worker w{jobs, [](const fakes::mail&) {}};
    (void)w.run();
}
