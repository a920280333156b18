// expect: pgq: a handler returns a type that is not an outcome\. Return
// within: 10 lines

#include "fakes.hpp"

using fine = pgq::queue<fakes::picture, fakes::driver, fakes::coroutine_executor, fakes::serializer>;

void used() {
    fakes::handle<fine>([](const fakes::picture&) { return fakes::awaitable<pgq::result<int>>{}; });
}
