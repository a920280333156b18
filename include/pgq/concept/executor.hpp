#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

namespace pgq {

/// A function to run with its arguments: one job, or one batch. It is cheap to copy and allocates nothing. `run()` does
/// not throw.
struct task {
    void (*function)(void* owner, void* lease, std::uint32_t position) noexcept = nullptr;
    void* owner = nullptr;
    void* lease = nullptr;
    std::uint32_t position = 0;
    bool first = false;  ///< the executor may run it before the tasks that wait

    void run() const noexcept { function(owner, lease, position); }
};

template <class E>
concept has_width = requires(const E& e) {
    { e.width() } -> std::same_as<std::size_t>;
    requires noexcept(e.width());
};

template <class E>
concept can_execute = requires(E& e, const task& t) {
    e.execute(t);
};

template <class E>
concept can_start_and_stop = requires(E& e) {
    e.start();
    requires noexcept(e.stop());
};

/// Runs handlers.
///
/// `width()` is the number of tasks that run at once. Between `start()` and `stop()` the worker calls `execute(task)`
/// from one thread. The executor runs every task exactly once, on any thread. `stop()` returns after all tasks have
/// run, including those that still wait when it is called. The executor may be started again after `stop()`.
///
/// Test your own with pgq/testing/laws/executor.hpp.
template <class E>
concept executor_policy = policy_of<E, executor_tag> && has_width<E> && can_execute<E> && can_start_and_stop<E>;

/// An executor whose `execute` runs the task before it returns, in the thread of the worker. The worker then runs the
/// jobs that it has claimed while the server works on the next claim.
template <class E>
concept runs_in_place = executor_policy<E> && requires {
    requires E::runs_in_place;
};

/// An executor that reports when it runs nothing, so that nobody has to block in `stop()`. `when_idle(f)` calls `f`
/// once, when no task or coroutine is in progress: before it returns, or on the thread on which the last one ends.
/// `stop()` does not wait after that. An executor needs it if it runs tasks on the thread that the worker runs on.
template <class E>
concept can_report_idle = requires(E& e, std::function<void()> f) {
    e.when_idle(std::move(f));
};

/// An executor with a clock of its own, as in a simulation. By it the worker measures handlers and knows which jobs
/// have expired. Other executors have std::chrono::steady_clock.
template <class E>
concept has_clock = executor_policy<E> && requires(const E& e) {
    { e.now() } -> std::same_as<steady_time>;
    requires noexcept(e.now());
};

/// An executor that can also run coroutines: `executor::coroutine`, or an executor that has its `drive`.
template <class E>
concept coroutine_executor = executor_policy<E> && requires {
    requires E::runs_coroutines;
};

namespace detail {

template <executor_policy E>
steady_time now_of([[maybe_unused]] const E& executor) noexcept {
    if constexpr (has_clock<E>) return executor.now();
    else if constexpr (requires { executor.inner(); }) return now_of(executor.inner());
    else return std::chrono::steady_clock::now();
}

}  // namespace detail

}  // namespace pgq
