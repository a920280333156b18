// expect: pgq: a handler is a coroutine and the queue.s executor runs none\. Add pgq::executor::coroutine

#include "fakes.hpp"

void start() {
    fakes::handle<fakes::mail_queue>([](const fakes::mail&) { return fakes::awaitable<void>{}; });
}
