#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace test {

/// An io_context and threads that run it. The destructor ends them.
class running_context {
public:
    explicit running_context(std::size_t threads = 1) {
        while (threads_.size() < threads) threads_.emplace_back([this] { context_.run(); });
    }
    ~running_context() {
        guard_.reset();
        for (auto& t : threads_) t.join();
    }

    asio::io_context::executor_type executor() { return context_.get_executor(); }

private:
    asio::io_context context_;
    asio::executor_work_guard<asio::io_context::executor_type> guard_ = asio::make_work_guard(context_);
    std::vector<std::thread> threads_;
};

/// Waits for the result of an asynchronous operation: `outcome<T> end; async_x(..., end.handler()); end.get();` It has
/// an error and a value and no exception, because the thread sanitizer cannot follow an exception across threads.
template <class... T>
class outcome {
public:
    using type = std::tuple<std::error_code, T...>;

    auto handler() {
        return [promise = promise_](std::error_code failed, T... value) {
            promise->set_value(type{failed, std::move(value)...});
        };
    }
    type get() { return future_.get(); }
    bool comes_within(std::chrono::milliseconds d) const { return future_.wait_for(d) == std::future_status::ready; }
    std::error_code error() { return std::get<0>(get()); }

private:
    std::shared_ptr<std::promise<type>> promise_ = std::make_shared<std::promise<type>>();
    std::future<type> future_ = promise_->get_future();
};

}  // namespace test
