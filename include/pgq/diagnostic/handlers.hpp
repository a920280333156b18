#pragma once

#include <pgq/concept/executor.hpp>
#include <pgq/diagnostic/never.hpp>

// Compile-time messages about the handlers of a worker.
namespace pgq::diagnostic {

template <class Job>
struct no_handler {
    static_assert(never<Job>,
                  "pgq: a job type of this queue has no handler. Give the worker a function that takes `const Job&`, "
                  "or `const Job&, pgq::context&`. Or name the types that it runs: pgq::serving<A, B>(queue).");
};

template <class Job, class First, class Second>
struct two_handlers {
    static_assert(never<Job, First, Second>,
                  "pgq: two handlers accept the same job. Keep one, or constrain the generic one.");
};

/// `Jobs` is the list of the job types of the queue.
template <class Job, class Handler, class Jobs>
struct foreign_handler {
    static_assert(never<Job, Handler, Jobs>,
                  "pgq: a handler takes a job type that this queue does not have. Add pgq::job<T> to the queue, or "
                  "remove the handler.");
};

template <class Handler, class Jobs>
struct wrong_signature {
    static_assert(never<Handler, Jobs>,
                  "pgq: a handler cannot be called with any job of this queue. Let it take `const Job&`, or "
                  "`const Job&, pgq::context&`.");
};

/// `Options` stand where a handler should.
template <class Options>
struct options_behind_handler {
    static_assert(never<Options>,
                  "pgq: worker_options stand behind a handler. Write them behind the queue: worker w{queue, "
                  "worker_options{...}, handlers...}.");
};

template <class Options>
struct foreign_options {
    static_assert(never<Options>,
                  "pgq: a worker got options that are not its own. Give it pgq::worker_options, or none.");
};

template <class Job, class Returned, class Handler>
struct narrowed_result {
    static_assert(never<Job, Returned, Handler>,
                  "pgq: a handler returns a number that the `result` of its job type cannot hold. Return that type, or "
                  "convert the number with static_cast.");
};

template <class Job, class Returned, class Handler>
struct wrong_result {
    static_assert(never<Job, Returned, Handler>,
                  "pgq: a handler returns a type that is not an outcome. Return void, pgq::outcome, the job's `result` "
                  "type, or an asio::awaitable of one of these.");
};

template <class Job, class Executor>
struct no_coroutines {
    static_assert(coroutine_executor<Executor>,
                  "pgq: a handler is a coroutine, but the executor of the queue does not run coroutines. Add "
                  "pgq::executor::coroutine to the queue.");
};

template <class Job, class Returned, class Handler>
struct wrong_batch_result {
    static_assert(never<Job, Returned, Handler>,
                  "pgq: a batch handler returns a type that is not an outcome. Return void, pgq::outcome for all its "
                  "jobs, pgq::outcomes with one for each, or an asio::awaitable of one of these.");
};

template <class Job, class Handler>
struct mutable_batch {
    static_assert(never<Job, Handler>,
                  "pgq: a batch handler takes a span of mutable jobs. Let it take `std::span<const Job>`.");
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
                  "pgq: a batch handler cannot run inside retrying, timeout, strand_by or process. Remove this "
                  "policy, or let the handler take `const Job&`.");
};

}  // namespace pgq::diagnostic
