#pragma once

#include <pgq/concept/decorator.hpp>
#include <pgq/concept/executor.hpp>
#include <pgq/executor/coroutine_call.hpp>
#include <pgq/testing/simulation/process.hpp>
#include <pgq/time/clock.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

namespace pgq::simulation {

/// Runs handlers in the simulated time of a process. A handler that takes time is a coroutine which awaits
/// process::sleep; any other handler ends at the moment at which it begins.
class executor {
public:
    using policy_category = executor_tag;
    static constexpr bool runs_coroutines = true;

    explicit executor(std::shared_ptr<process> where, std::size_t width = 2)
        : state_{std::make_shared<state>(std::move(where), std::max<std::size_t>(width, 1))} {}
    /// A copy runs in the same process and is not started.
    executor(const executor& other) : executor{other.state_->where, other.state_->width} {}
    executor& operator=(const executor& other) {
        state_ = std::make_shared<state>(other.state_->where, other.state_->width);
        return *this;
    }

    std::size_t width() const noexcept { return state_->width; }
    steady_time now() const noexcept { return state_->where->now(); }

    void start() {}
    void stop() noexcept {}
    void execute(const task& t) {
        state_->waiting.push_back(t);
        state_->start_later();
    }
    void when_idle(std::function<void()> f) {
        if (state_->running == 0 && state_->waiting.empty()) return f();
        state_->on_idle = std::move(f);
    }

    /// See executor::coroutine.
    template <class Call>
    void drive(Call call) {
        ++state_->running;
        asio::co_spawn(state_->where->in().coroutines(),
                       detail::follow(std::move(call),
                                      [where = state_->where](steady_time until, const Call& paused) {
                                          return pause(where, until, paused);
                                      }),
                       [s = state_](const std::exception_ptr& error) {
                           if (error) std::terminate();
                           s->ended();
                       });
    }

private:
    struct state : std::enable_shared_from_this<state> {
        state(std::shared_ptr<process> p, std::size_t n) : where{std::move(p)}, width{n} {}

        // A task begins a little later: another thread has to wake up for it.
        void start_later() {
            where->after(where->in().between({}, std::chrono::microseconds{50}), [s = shared_from_this()] {
                if (s->waiting.empty() || s->running >= s->width) return;
                const task next = s->waiting.front();
                s->waiting.pop_front();
                ++s->running;
                next.run();
                s->ended();
            });
        }
        void ended() {
            --running;
            if (!waiting.empty()) start_later();
            else if (running == 0 && on_idle) std::exchange(on_idle, {})();
        }

        std::shared_ptr<process> where;
        std::size_t width;
        std::size_t running = 0;
        std::deque<task> waiting{};
        std::function<void()> on_idle{};
    };

    template <class Call>
    static asio::awaitable<bool> pause(std::shared_ptr<process> where, steady_time until, const Call& call) {
        while (where->now() < until && !has_fired(call))
            co_await where->sleep(std::min<duration>(until - where->now(), look_every));
        co_return !has_fired(call);
    }
    template <class Call>
    static bool has_fired(const Call& call) {
        const auto tokens = call.stop_tokens();
        return std::any_of(tokens.begin(), tokens.end(), [](const auto& t) { return t.stop_requested(); });
    }

    static constexpr duration look_every = std::chrono::milliseconds{10};  // whether a pause ends early

    std::shared_ptr<state> state_;
};

static_assert(coroutine_executor<executor> && can_report_idle<executor> && has_clock<executor>);

}  // namespace pgq::simulation
