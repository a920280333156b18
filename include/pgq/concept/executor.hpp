#pragma once

#include <pgq/concept/policy.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace pgq {

/// One job to run: a function and what it needs, cheap to copy, allocating nothing. `run()` never throws.
struct task {
    void (*function)(void* owner, void* lease, std::uint32_t position) noexcept = nullptr;
    void* owner = nullptr;
    void* lease = nullptr;
    std::uint32_t position = 0;
    bool first = false;  ///< it may overtake those that wait

    void run() const noexcept { function(owner, lease, position); }
};

template <class E>
concept has_width = requires(const E& e) {
    { e.width() } noexcept -> std::same_as<std::size_t>;
};

template <class E>
concept can_execute = requires(E& e, const task& t) { e.execute(t); };

template <class E>
concept can_start_and_stop = requires(E& e) {
    e.start();
    { e.stop() } noexcept;
};

/// Runs handlers. `width()` is how many run at once. Between `start()` and `stop()` the worker calls `execute(task)` from
/// one thread; every task is run exactly once, on any thread, also those still waiting when `stop()` is called: `stop()` returns
/// when all have run. An executor may be started again after it was stopped.
/// The laws are in pgq/testing/laws/executor.hpp.
template <class E>
concept executor_policy = policy_of<E, executor_tag> && has_width<E> && can_execute<E> && can_start_and_stop<E>;

/// An executor that runs a task before `execute` returns, in the worker's own thread: the worker hands in what it has claimed while
/// the server looks for more.
template <class E>
concept runs_in_place = executor_policy<E> && requires { requires E::runs_in_place; };

/// An executor that can also run coroutines: `executor::coroutine` and what is built like it.
template <class E>
concept coroutine_executor = executor_policy<E> && requires { requires E::runs_coroutines; };

}  // namespace pgq
