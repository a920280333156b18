// expect: pgq: the first argument of a queue is its driver, not its name\. Write the name into its options
// within: 10 lines

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>

using fine = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer>;

void used() {
    fine jobs{"mails"};
    (void)jobs.name();
}
