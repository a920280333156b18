#pragma once

#include <pgq/config.hpp>

#if PGQ_HAS_COROUTINES

#include <pgq/client/queue_core.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/error/result.hpp>
#include <pgq/schedule/worker_schedules.hpp>
#include <pgq/worker/worker_options.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <memory>
#include <mutex>
#include <stop_token>
#include <system_error>
#include <thread>
#include <utility>

namespace pgq::detail {

/// What a thread tells a coroutine on a strand.
class strand_event : public std::enable_shared_from_this<strand_event> {
public:
    explicit strand_event(asio::any_io_executor strand) : strand_{std::move(strand)}, timer_{strand_} {}

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

/// As work_on_schedule, on a strand: the thread also stores the schedules, so nothing blocks the strand. `work` returns
/// an awaitable.
template <class Composition, class... Jobs, class Work>
asio::awaitable<result<void>> async_work_on_schedule(queue_core<Composition>& core, type_list<Jobs...> jobs,
                                                     const worker_options& worker, asio::any_io_executor strand,
                                                     std::stop_token stop, Work work) {
    worker_schedules<Composition> schedules{core, jobs, worker, stop};
    const auto stored = std::make_shared<strand_event>(strand), ended = std::make_shared<strand_event>(strand);
    result<void> begun;
    std::jthread fires{[&](const std::stop_token& worker_ended) {
        const std::stop_callback on_end{worker_ended, [&] { schedules.end(); }};
        begun = schedules.begin();
        const bool works = begun.has_value();
        stored->set();
        if (works) schedules.fire_ticks();
        ended->set();
    }};
    // If the context ends first, this coroutine is destroyed where it waits.
    struct guard {
        strand_event &stored, &ended;
        ~guard() {
            stored.give_up();
            ended.give_up();
        }
    } const no_more{*stored, *ended};
    co_await stored->wait();
    result<void> outcome = begun;
    if (begun) outcome = co_await work();
    else if (stop.stop_requested()) outcome = {};
    fires.request_stop();
    co_await ended->wait();
    co_return outcome;
}

}  // namespace pgq::detail

#endif  // PGQ_HAS_COROUTINES
