// expect: pgq: a transaction is taken by value\. Take it by reference
// within: 10 lines

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/transaction/transaction.hpp>

using fine = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer>;

void used() {
    fakes::handle<fine>([](const fakes::mail&, pgq::transaction<fine>) {});
}
