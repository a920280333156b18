#pragma once

#include <pgq/config.hpp>

#if PGQ_HAS_COROUTINES

#include <pgq/concept/decorator.hpp>
#include <pgq/concept/executor.hpp>
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
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgq::executor {

/// Runs tasks and coroutines on an Asio executor: its own io_context with its own threads, or the user's.
///
/// At most `concurrency` of them are under way at once, those that are suspended included; further tasks wait. A task
/// that calls `spawn` hands its place on to the coroutine, which therefore starts at once, whatever else is under way.
///
/// An object that is not started is a setting; a copy takes the numbers and the user's executor over and is not
/// started. `stop()` returns when all tasks and coroutines have ended. It blocks, so it must not be called where they
/// run, and the user's executor must keep running meanwhile. Other work on an io_context of ours stays where it is
/// until the next start.
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

    /// Throws std::system_error when the threads cannot be had; then none is left behind.
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

    /// Starts `work`, and `stop()` waits for it. An exception that leaves it ends the program: who spawns catches.
    template <class T>
    void spawn(asio::awaitable<T> work) {
        {
            const std::lock_guard lock{mutex_};
            ++under_way_;
        }
        try {
            asio::co_spawn(executor_, std::move(work), [this](std::exception_ptr error, auto&&...) {
                if (error) std::terminate();
                ended();
            });
        } catch (...) {
            ended();
            throw;
        }
    }

    /// Does what `call.next()` says until that is `stop`: to `run` spawns what `call.start()` gives and tells `call` what came of
    /// it, by `ended(value...)` or `threw(exception)`; to `pause` waits until the time given, or until one of the stop tokens
    /// fires, and tells how it went by `paused(bool whole)`. The call lives in the coroutine's frame.
    template <class Call>
    void drive(Call call) {
        spawn(follow(std::move(call)));
    }

    /// One more at once, for a coroutine that does not end. One that blocks its thread is not made up for by this.
    void stand_in() noexcept {
        std::unique_lock lock{mutex_};
        ++extra_;
        if (waiting_.empty() || under_way_ >= width_ + extra_) return;
        ++under_way_;
        const task next = waiting_.pop();
        lock.unlock();
        launch(next);
    }
    void stand_down() noexcept {
        const std::lock_guard lock{mutex_};
        --extra_;
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
    template <class Call>
    static asio::awaitable<void> follow(Call call) {
        for (auto todo = call.next(); todo.what != try_do::stop; todo = call.next()) {
            if (todo.what == try_do::pause) {
                auto pause = pgq::detail::pause_until(todo.until, call.stop_tokens());
                const bool whole = co_await std::move(pause);
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

    void make_context() {
        context_ = std::make_unique<asio::io_context>(static_cast<int>(std::min<std::size_t>(thread_count_, 1024)));
        executor_ = context_->get_executor();
    }

    void launch(const task& t) noexcept {
        try {
            // A copy, because the task may have run and this object be gone before post() has returned.
            asio::post(asio::any_io_executor{executor_}, [this, t]() noexcept { run(t); });
        } catch (...) {
            run(t);  // no memory to post it with: late in this thread is better than never
        }
    }

    void run(const task& t) noexcept {
        t.run();
        ended();
    }

    // One has ended: its place goes to the next that waits, unless tasks that spawned several have overdrawn the
    // places.
    void ended() noexcept {
        std::unique_lock lock{mutex_};
        if (!waiting_.empty() && under_way_ <= width_ + extra_) {
            const task next = waiting_.pop();
            lock.unlock();
            launch(next);
        } else if (--under_way_ == 0) {
            all_ended_.notify_all();  // under the lock: who waits may destroy this as soon as it is free
        }
    }

    std::size_t width_;
    std::size_t thread_count_ = 0;  // 0 when the executor is the user's
    std::unique_ptr<asio::io_context> context_;
    asio::any_io_executor executor_;
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> guard_;
    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::condition_variable all_ended_;
    detail::task_line waiting_;
    std::size_t under_way_ = 0;
    std::size_t extra_ = 0;
};

static_assert(coroutine_executor<coroutine> && can_stand_in<coroutine>);

}  // namespace pgq::executor

#endif  // PGQ_HAS_COROUTINES
