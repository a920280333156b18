// expect: pgq: a coroutine handler cannot run in executor::process\. Make it a function

#include "fakes.hpp"

#include <pgq/executor/process.hpp>

using fine = pgq::queue<pgq::job<fakes::mail, pgq::executor::process>, fakes::driver, fakes::serializer,
                        fakes::coroutine_executor>;

void start() {
    fakes::handle<fine>([](const fakes::mail&) { return fakes::awaitable<void>{}; });
}
