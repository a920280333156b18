// expect: pgq: a handler is a coroutine, but the executor of the queue does not run coroutines\. Add

#include "fakes.hpp"

void start() {
    fakes::handle<fakes::mail_queue>([](const fakes::mail&) { return fakes::awaitable<void>{}; });
}
