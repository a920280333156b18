#pragma once

#include <pgq/detail/unit_random.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/time/manual_clock.hpp>

#include <asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::simulation {

/// The time, the choices and the events of one simulation. Nothing in it reads a clock of the machine or starts a
/// thread, so the same seed always gives the same run.
class world {
public:
    /// Seeds the generator of this thread, too, by which the library makes pauses differ.
    explicit world(std::uint64_t seed) : random_{seed} {
        detail::random_engine().seed(static_cast<std::minstd_rand::result_type>(random_()));
        clock_.advance(std::chrono::hours{1});
        began_ = now();
    }
    world(const world&) = delete;
    world& operator=(const world&) = delete;
    ~world() { forget_events(); }

    /// Before workers are destroyed: nothing happens any more. The handlers that wait for events are destroyed.
    void forget_events() {
        followers_.clear();
        events_ = {};
        (void)coroutines_.poll();
    }

    steady_time now() const { return clock_.steady_now(); }
    /// The clock of the database.
    const manual_clock& clock() const noexcept { return clock_; }

    /// Calls `f` at that time, or now if it has passed. Events of the same time happen in an order that the seed
    /// decides.
    void at(steady_time when, std::function<void()> f) {
        events_.push({std::max(when, now()), random_(), std::make_shared<std::function<void()>>(std::move(f))});
    }
    void after(duration d, std::function<void()> f) { at(now() + d, std::move(f)); }
    /// Called after every event, in the order of these calls.
    void after_each_event(std::function<void()> f) { followers_.push_back(std::move(f)); }

    /// Performs the next event; false if there is none until `end`, which is the time then.
    bool step(steady_time end) {
        if (events_.empty() || events_.top().when > end) return clock_.advance(end - now()), false;
        const event next = events_.top();
        events_.pop();
        clock_.advance(next.when - now());
        (*next.what)();
        (void)coroutines_.poll();
        coroutines_.restart();
        for (std::size_t i = 0; i < followers_.size(); ++i) followers_[i]();
        ++steps_;
        return true;
    }
    void run_for(duration d) {
        const auto end = now() + d;
        while (step(end)) {}
    }
    std::uint64_t steps() const noexcept { return steps_; }

    /// From 0 to `n` - 1; `n` is above zero.
    std::uint64_t below(std::uint64_t n) { return random_() % n; }
    bool chance(double probability) { return static_cast<double>(random_() >> 11) * 0x1p-53 < probability; }
    duration between(duration least, duration most) {
        return least +
               duration{static_cast<duration::rep>(below(static_cast<std::uint64_t>((most - least).count()) + 1))};
    }

    /// Where handlers that are coroutines run.
    asio::io_context& coroutines() noexcept { return coroutines_; }

    /// What happened, with its time, if anybody reads it.
    void keep_trace() noexcept { keeps_trace_ = true; }
    bool keeps_trace() const noexcept { return keeps_trace_; }
    void note(std::string what) {
        if (!keeps_trace_) return;
        const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now() - began_).count();
        trace_.push_back(std::to_string(us / 1000) + "." + std::to_string(us % 1000 / 100) + " ms  " + std::move(what));
    }
    const std::vector<std::string>& trace() const noexcept { return trace_; }

private:
    struct event {
        steady_time when{};
        std::uint64_t order = 0;
        std::shared_ptr<std::function<void()>> what{};

        friend bool operator<(const event& a, const event& b) noexcept {
            return a.when != b.when ? a.when > b.when : a.order > b.order;
        }
    };

    manual_clock clock_{};
    std::mt19937_64 random_;
    asio::io_context coroutines_{1};
    std::priority_queue<event> events_{};
    std::vector<std::function<void()>> followers_{};
    std::vector<std::string> trace_{};
    std::uint64_t steps_ = 0;
    bool keeps_trace_ = false;
    steady_time began_{};
};

}  // namespace pgq::simulation
