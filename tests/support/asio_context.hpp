#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include <cstddef>
#include <thread>
#include <vector>

namespace test {

/// An io_context with threads in it, which run until this is destroyed.
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

}  // namespace test
