// expect: pgq: a transaction is taken by value\. Take it by reference
// within: 10 lines

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>

using fine = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer>;

void used(fine& jobs) {
    (void)jobs.transaction([](auto) {});
}
