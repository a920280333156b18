// expect: pgq: exec requires a driver that runs SQL\. Use driver::libpq,

#include <pgq/driver/memory.hpp>

#include "fakes.hpp"

using memory_queue = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer>;

void used(memory_queue& jobs) {
    (void)jobs.transaction([](auto& tx) { (void)tx.exec("INSERT INTO done VALUES ($1)", 1); });
}
