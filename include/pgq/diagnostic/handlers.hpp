#pragma once

#include <pgq/concept/executor.hpp>
#include <pgq/diagnostic/never.hpp>

// The messages about the handlers of a worker.
namespace pgq::diagnostic {

template <class Job>
struct no_handler {
    static_assert(never<Job>,
                  "pgq: no handler for a job of this queue. Give the worker a function that takes `const Job&`, or "
                  "`const Job&, pgq::context&`.");
};

template <class Job, class First, class Second>
struct two_handlers {
    static_assert(never<Job, First, Second>,
                  "pgq: two handlers accept the same job. Keep one, or constrain the generic one.");
};

/// `Jobs` are those that the queue knows.
template <class Job, class Handler, class Jobs>
struct foreign_handler {
    static_assert(never<Job, Handler, Jobs>,
                  "pgq: a handler takes a job that this queue does not know. Add pgq::job<T> to the queue, or take the "
                  "handler away.");
};

template <class Handler, class Jobs>
struct wrong_signature {
    static_assert(never<Handler, Jobs>,
                  "pgq: a handler cannot be called with any job of this queue. Let it take `const Job&`, or "
                  "`const Job&, pgq::context&`.");
};

template <class Job, class Returned, class Handler>
struct wrong_result {
    static_assert(never<Job, Returned, Handler>,
                  "pgq: a handler returns something that is no outcome. Return void, pgq::outcome, the job's `result` "
                  "type, or an "
                  "asio::awaitable of one of these.");
};

template <class Job, class Executor>
struct no_coroutines {
    static_assert(
        coroutine_executor<Executor>,
        "pgq: a handler is a coroutine and the queue's executor runs none. Add pgq::executor::coroutine to the "
        "queue.");
};

template <class Job, class Returned, class Handler>
struct wrong_batch_result {
    static_assert(
        never<Job, Returned, Handler>,
        "pgq: a batch handler returns something that is no outcome. Return void, pgq::outcome for all its jobs, "
        "pgq::outcomes with one for each, or an asio::awaitable of one of these.");
};

template <class Job, class Handler>
struct mutable_batch {
    static_assert(
        never<Job, Handler>,
        "pgq: a batch handler takes a span of jobs that it could change. Let it take `std::span<const Job>`.");
};

template <class Handler>
struct context_of_one {
    static_assert(never<Handler>,
                  "pgq: a batch handler takes the context of a single job. Let it take `std::span<const Job>, "
                  "pgq::batch_context&`.");
};

template <class Handler>
struct context_of_batch {
    static_assert(never<Handler>,
                  "pgq: a handler of single jobs takes the context of a batch. Let it take `const Job&, "
                  "pgq::context&`, or `std::span<const Job>, pgq::batch_context&`.");
};

template <class Job, class Handler>
struct decorated_batch {
    static_assert(never<Job, Handler>,
                  "pgq: a batch handler cannot run inside of retrying, timeout, strand_by or process. Take the "
                  "decorator away, or let the handler take `const Job&`.");
};

}  // namespace pgq::diagnostic
