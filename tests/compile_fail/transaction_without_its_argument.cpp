// expect: pgq: the function for transaction\(\) cannot be called with a transaction\. Let it take `auto& tx`
// within: 10 lines

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>

using fine = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer>;

void used(fine& jobs) {
    (void)jobs.transaction([] {});
}
