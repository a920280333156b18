// The library recognizes Asio's awaitable by its members, without including Asio's header.

#include "../compile_fail/fakes.hpp"

#include <pgq/executor/coroutine.hpp>

#if PGQ_HAS_COROUTINES

static_assert(pgq::is_awaitable<asio::awaitable<void>>);
static_assert(pgq::is_awaitable<asio::awaitable<pgq::outcome>>);

using coroutines = pgq::queue<fakes::picture, fakes::mail, fakes::driver, fakes::serializer, pgq::executor::coroutine>;

void start() {
    fakes::handle<coroutines>([](const fakes::mail&) -> asio::awaitable<void> { co_return; },
                              [](const fakes::picture& p, pgq::context&) -> asio::awaitable<int> { co_return p.edge; });
}

#endif
