// expect: pgq: run got an argument that it cannot run\. Give it workers that are not const

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/run.hpp>
#include <pgq/worker.hpp>

using fine = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer>;

int start(fine& jobs) {
    const pgq::worker w{jobs, [](const fakes::mail&) {}};
    return pgq::run(w);
}
