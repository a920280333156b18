// expect: pgq: a simulated worker needs a queue with pgq::simulation::driver and pgq::simulation::executor
// within: 10 lines

#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/testing/simulation.hpp>

#include "fakes.hpp"

#include <memory>

using in_memory = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer, pgq::executor::in_place>;

void run(std::shared_ptr<pgq::simulation::process> where, in_memory& jobs) {
    pgq::simulation::worker w{where, jobs, pgq::worker_options{}, [](const fakes::mail&) {}};
    w.start();
}
