#pragma once

#include <pgq/config.hpp>

#if PGQ_HAS_COROUTINES

#include <pgq/concept/decorator.hpp>

#include <asio/awaitable.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace pgq::detail {

/// Performs the actions of `call` until it returns `stop`; see executor::coroutine::drive. `pause(until, call)` is an
/// awaitable that says whether the pause was whole.
template <class Call, class Pause>
asio::awaitable<void> follow(Call call, Pause pause) {
    for (auto todo = call.next(); todo.what != try_do::stop; todo = call.next()) {
        if (todo.what == try_do::pause) {
            auto rest = pause(todo.until, call);
            const bool whole = co_await std::move(rest);
            call.paused(whole);
            continue;
        }
        std::exception_ptr thrown;
        try {
            auto work = call.start();
            if constexpr (std::is_void_v<typename decltype(work)::value_type>) {
                co_await std::move(work);
                call.ended();
            } else {
                call.ended(co_await std::move(work));
            }
        } catch (...) { thrown = std::current_exception(); }
        if (thrown) call.threw(thrown);
    }
}

}  // namespace pgq::detail

#endif  // PGQ_HAS_COROUTINES
