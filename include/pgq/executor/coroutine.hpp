#pragma once

#include <pgq/config.hpp>

#if PGQ_HAS_COROUTINES

#include <pgq/concept/decorator.hpp>
#include <pgq/concept/executor.hpp>
#include <pgq/executor/coroutine_call.hpp>
#include <pgq/executor/coroutine_pause.hpp>
#include <pgq/executor/task_ring.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace pgq::executor {

/// Runs tasks and coroutines on an Asio executor: on its own io_context with its own threads, or on an executor of the
/// program. The defaults are a concurrency of 64 and one thread.
///
/// At most `concurrency` tasks and coroutines are in progress at once, including suspended coroutines. Further tasks
/// wait. A task that calls `spawn` passes its slot to the coroutine, so the coroutine always starts at once.
///
/// Before `start()` an object holds only its settings. A copy has the same settings and the same executor of the
/// program, and is not started.
///
/// `stop()` returns after all tasks and coroutines have ended. It blocks: do not call it from a task or coroutine, and
/// keep the executor of the program running until it returns. `when_idle()` reports when it would not block. Other work
/// on the own io_context waits for the next start.
class coroutine {
public:
    using policy_category = executor_tag;
    static constexpr bool runs_coroutines = true;

    explicit coroutine(std::size_t concurrency = 64, std::size_t threads = 1)
        : width_{std::max<std::size_t>(concurrency, 1)}, thread_count_{std::max<std::size_t>(threads, 1)} {
        make_context();
    }
    explicit coroutine(asio::any_io_executor user, std::size_t concurrency = 64)
        : width_{std::max<std::size_t>(concurrency, 1)}, executor_{std::move(user)} {}
    coroutine(const coroutine& other)
        : width_{other.width_}, thread_count_{other.thread_count_}, executor_{other.executor_} {
        if (thread_count_ != 0) make_context();
    }
    coroutine& operator=(const coroutine& other) {
        if (this == &other) return *this;
        stop();
        width_ = other.width_;
        thread_count_ = other.thread_count_;
        executor_ = other.executor_;
        context_.reset();
        if (thread_count_ != 0) make_context();
        return *this;
    }
    ~coroutine() { stop(); }

    std::size_t width() const noexcept { return width_; }
    asio::any_io_executor executor() const noexcept { return executor_; }

    /// Throws std::system_error if a thread cannot be created. Then no thread remains.
    void start() {
        if (!context_ || !threads_.empty()) return;
        context_->restart();
        guard_.emplace(context_->get_executor());
        threads_.reserve(thread_count_);
        try {
            while (threads_.size() < thread_count_) threads_.emplace_back([this] { context_->run(); });
        } catch (...) {
            stop();
            throw;
        }
    }

    void execute(const task& t) {
        {
            const std::lock_guard lock{mutex_};
            if (under_way_ >= width_ + extra_) return waiting_.push(t);
            ++under_way_;
        }
        launch(t);
    }

    /// Starts `work` at once; `stop()` waits for its end. If an exception leaves `work`, std::terminate is called.
    template <class T>
    void spawn(asio::awaitable<T> work) {
        {
            const std::lock_guard lock{mutex_};
            ++under_way_;
        }
        try {
            asio::co_spawn(executor_, std::move(work), [this](const std::exception_ptr& error, auto&&...) {
                if (error) std::terminate();
                ended();
            });
        } catch (...) {
            ended();
            throw;
        }
    }

    /// Performs the actions that `call.next()` returns, until it returns `stop`. The coroutine owns `call`.
    ///
    /// - `run`: awaits the coroutine of `call.start()`, then calls `call.ended(value...)` or `call.threw(exception)`.
    /// - `pause`: waits until the given time or until a stop token fires, then calls `call.paused(whole)`. `whole` is
    ///   false if a token fired.
    template <class Call>
    void drive(Call call) {
        spawn(pgq::detail::follow(std::move(call), [](steady_time until, const Call& paused) {
            return pgq::detail::pause_until(until, paused.stop_tokens());
        }));
    }

    /// Allows one more task or coroutine in progress, to replace a coroutine that does not end. It adds no thread, so
    /// it does not help if that coroutine blocks its thread.
    void add_spare_thread() noexcept {
        std::unique_lock lock{mutex_};
        ++extra_;
        if (waiting_.empty() || under_way_ >= width_ + extra_) return;
        ++under_way_;
        const task next = waiting_.pop();
        lock.unlock();
        launch(next);
    }
    void remove_spare_thread() noexcept {
        const std::lock_guard lock{mutex_};
        --extra_;
    }

    /// Calls `f` when no task or coroutine is in progress: before this returns, or on the thread on which the last one
    /// ends. A second call replaces an `f` that was not called yet.
    void when_idle(std::function<void()> f) {
        {
            const std::lock_guard lock{mutex_};
            if (under_way_ != 0) return void(on_idle_ = std::move(f));
        }
        f();
    }

    void stop() noexcept {
        {
            std::unique_lock lock{mutex_};
            all_ended_.wait(lock, [this] { return under_way_ == 0; });
        }
        if (threads_.empty()) return;
        guard_.reset();
        context_->stop();
        for (auto& thread : threads_) thread.join();
        threads_.clear();
    }

private:
    void make_context() {
        context_ = std::make_unique<asio::io_context>(static_cast<int>(std::min<std::size_t>(thread_count_, 1024)));
        executor_ = context_->get_executor();
    }

    void launch(const task& t) noexcept {
        try {
            // A copy of the executor: the task may run and this object may be destroyed before post() returns.
            asio::post(asio::any_io_executor{executor_}, [this, t]() noexcept { run(t); });
        } catch (...) {
            run(t);  // there is no memory for the post, so the task runs in this thread
        }
    }

    void run(const task& t) noexcept {
        t.run();
        ended();
    }

    // A task or coroutine has ended. Its slot goes to the next waiting task, unless more are in progress than slots
    // exist, because a task spawned several coroutines.
    void ended() noexcept {
        std::unique_lock lock{mutex_};
        if (!waiting_.empty() && under_way_ <= width_ + extra_) {
            const task next = waiting_.pop();
            lock.unlock();
            launch(next);
        } else if (--under_way_ == 0) {
            const auto on_idle = std::exchange(on_idle_, {});
            all_ended_.notify_all();  // under the lock, because the waiting thread may then destroy this object
            lock.unlock();
            if (on_idle) on_idle();
        }
    }

    std::size_t width_;
    std::size_t thread_count_ = 0;  // 0 if the executor belongs to the program
    std::unique_ptr<asio::io_context> context_;
    asio::any_io_executor executor_;
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> guard_;
    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::condition_variable all_ended_;
    std::function<void()> on_idle_;
    detail::task_queue waiting_;
    std::size_t under_way_ = 0;
    std::size_t extra_ = 0;
};

static_assert(coroutine_executor<coroutine> && can_add_spare_thread<coroutine> && can_report_idle<coroutine>);

}  // namespace pgq::executor

#endif  // PGQ_HAS_COROUTINES
