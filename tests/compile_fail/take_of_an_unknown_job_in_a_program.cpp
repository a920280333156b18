// expect: pgq: this queue does not have the job type\. Add pgq::job<T>
// within: 10 lines

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>

using fine = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer>;

void used(fine& jobs) {
    (void)jobs.transaction([](auto& tx) { (void)tx.template take<fakes::stranger>(); });
}
