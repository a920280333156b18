// expect: pgq: the queue of a worker is a temporary\. Store it in a variable
// within: 10 lines

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/worker.hpp>

using fine = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer>;

void used() {
    pgq::worker w{fine{}, [](const fakes::mail&) {}};
    (void)w.run();
}
