// expect: pgq: a handler that takes a transaction cannot run in executor::process\. Remove the

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/executor/process.hpp>
#include <pgq/transaction/transaction.hpp>

using fine = pgq::queue<pgq::job<fakes::mail, pgq::executor::process>, pgq::driver::memory, fakes::serializer>;

void start() {
    fakes::handle<fine>([](const fakes::mail&, pgq::transaction<fine>&) {});
}
