#pragma once

#include <pgq/config.hpp>

#if PGQ_HAS_COROUTINES

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <memory>
#include <mutex>
#include <system_error>
#include <utility>

namespace pgq::detail {

/// What a thread tells a coroutine on a strand.
class asio_event : public std::enable_shared_from_this<asio_event> {
public:
    explicit asio_event(asio::any_io_executor strand) : strand_{std::move(strand)}, timer_{strand_} {}

    /// From any thread.
    void set() {
        const std::lock_guard lock{mutex_};
        if (given_up_) return;
        asio::post(strand_, [self = shared_from_this()] {
            self->is_set_ = true;
            self->timer_.cancel();
        });
    }
    /// Nobody waits any more: the context may be gone. From any thread.
    void give_up() {
        const std::lock_guard lock{mutex_};
        given_up_ = true;
    }
    /// On the strand.
    asio::awaitable<void> wait() {
        std::error_code ended;
        while (!is_set_) {
            timer_.expires_at(asio::steady_timer::time_point::max());
            co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ended));
        }
    }

private:
    asio::any_io_executor strand_;
    asio::steady_timer timer_;
    bool is_set_ = false;  // the strand's
    std::mutex mutex_;     // for given_up_
    bool given_up_ = false;
};

/// Gives events up at the end of a scope: a coroutine is destroyed where it waits if its context ends first.
class give_up_events {
public:
    explicit give_up_events(asio_event& one, asio_event& other) noexcept : one_{&one}, other_{&other} {}
    give_up_events(const give_up_events&) = delete;
    give_up_events& operator=(const give_up_events&) = delete;
    ~give_up_events() {
        one_->give_up();
        other_->give_up();
    }

private:
    asio_event *one_, *other_;
};

}  // namespace pgq::detail

#endif  // PGQ_HAS_COROUTINES
