// expect: pgq: a handler that takes a transaction is a coroutine\. Make it a function

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/transaction/transaction.hpp>

using fine = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer, fakes::coroutine_executor>;

void start() {
    fakes::handle<fine>([](const fakes::mail&, pgq::transaction<fine>&) { return fakes::awaitable<void>{}; });
}
