// expect: pgq: a handler returns something that is no outcome\. Return void

#include "fakes.hpp"

using coroutines = pgq::queue<fakes::mail, fakes::driver, fakes::serializer, fakes::coroutine_executor>;

void start() {
    fakes::handle<coroutines>([](const fakes::mail&) { return fakes::awaitable<std::string>{}; });
}
