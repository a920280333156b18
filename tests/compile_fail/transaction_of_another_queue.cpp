// expect: pgq: a handler takes a transaction of another queue\. Let it

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/transaction/transaction.hpp>

using fine = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer>;
using other = pgq::queue<fakes::mail, fakes::picture, pgq::driver::memory, fakes::serializer>;

void start() {
    fakes::handle<fine>([](const fakes::mail&, pgq::transaction<other>&) {});
}
