#pragma once

#include <pgq/executor/thread_pool.hpp>

namespace pgq::executor {

/// The inner executor of a decorator that names none. In a policy of an entrypoint it stands for the executor of the
/// queue; in a policy of the queue it is a thread pool.
struct default_inner : thread_pool {
    using thread_pool::thread_pool;
    default_inner(const thread_pool& pool = thread_pool{}) noexcept : thread_pool{pool} {}
};

}  // namespace pgq::executor
