// expect: pgq: a job with delivery::at_most_once has a batch handler, a handler with a transaction, or a

#include "fakes.hpp"

#include <pgq/delivery/at_most_once.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/transaction/transaction.hpp>

using fine = pgq::queue<pgq::job<fakes::mail, pgq::delivery::at_most_once>, pgq::driver::memory, fakes::serializer>;

void start() {
    fakes::handle<fine>([](const fakes::mail&, pgq::transaction<fine>&) {});
}
