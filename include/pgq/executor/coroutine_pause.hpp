#pragma once

#include <pgq/config.hpp>

#if PGQ_HAS_COROUTINES

#include <pgq/time/clock.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <stop_token>
#include <system_error>
#include <utility>

namespace pgq::detail {

using strand_timer = asio::steady_timer;

/// Cancels a timer on its strand. Any thread may call it.
struct cancel_on_strand {
    asio::any_io_executor strand;
    std::shared_ptr<strand_timer> timer;
    void operator()() const {
        asio::post(strand, [kept = timer] { kept->cancel(); });
    }
};

// Only the strand creates the timer, waits for it and cancels it.
inline asio::awaitable<bool> pause_on_strand(asio::any_io_executor strand, steady_time until,
                                             std::array<std::stop_token, 2> stops) {
    auto timer = std::make_shared<strand_timer>(strand, until);
    const std::stop_callback first{stops[0], cancel_on_strand{strand, timer}};
    const std::stop_callback second{stops[1], cancel_on_strand{strand, timer}};
    std::error_code ended;
    co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ended));
    co_return !ended && !stops[0].stop_requested() && !stops[1].stop_requested();
}

/// Suspends the coroutine until this time. Returns false if one of the tokens fired before.
inline asio::awaitable<bool> pause_until(steady_time until, std::array<std::stop_token, 2> stops) {
    const asio::any_io_executor strand = asio::make_strand(co_await asio::this_coro::executor);
    auto pause = asio::co_spawn(strand, pause_on_strand(strand, until, std::move(stops)), asio::use_awaitable);
    co_return co_await std::move(pause);
}

}  // namespace pgq::detail

#endif  // PGQ_HAS_COROUTINES
