// expect: pgq: a job that is delivered at most once has a handler of batches, one in a transaction, or a coroutine

#include "fakes.hpp"

#include <pgq/delivery/at_most_once.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/transaction/transaction.hpp>

using fine = pgq::queue<pgq::job<fakes::mail, pgq::delivery::at_most_once>, pgq::driver::memory, fakes::serializer>;

void start() {
    fakes::handle<fine>([](const fakes::mail&, pgq::transaction<fine>&) {});
}
