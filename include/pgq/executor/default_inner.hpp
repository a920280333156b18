#pragma once

#include <pgq/executor/thread_pool.hpp>

namespace pgq::executor {

/// What a decorator decorates that names no executor: as an entrypoint's policy the executor of the queue, as the queue's policy
/// a thread pool.
struct default_inner : thread_pool {
    using thread_pool::thread_pool;
    default_inner(const thread_pool& pool = thread_pool{}) noexcept : thread_pool{pool} {}
};

}  // namespace pgq::executor
