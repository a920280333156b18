#pragma once

#include <pgq/concept/delivery.hpp>
#include <pgq/diagnostic/never.hpp>

// Compile-time messages about delivery policies.
namespace pgq::diagnostic {

template <class Delivery>
struct incomplete_delivery {
    static_assert(delivery_policy<Delivery>,
                  "pgq: a delivery policy does not model pgq::delivery_policy. Use delivery::at_least_once or "
                  "delivery::at_most_once.");
};

template <class Job>
struct retried_at_most_once {
    static_assert(never<Job>,
                  "pgq: a job with delivery::at_most_once has executor::retrying, but it never runs again. Remove one "
                  "of the two.");
};

template <class Job, class Backoff>
struct backoff_at_most_once {
    static_assert(
        never<Job, Backoff>,
        "pgq: a job with delivery::at_most_once has a backoff, but it never runs again. Remove one of the two.");
};

template <class Job, class Limiter>
struct global_limit_at_most_once {
    static_assert(
        never<Job, Limiter>,
        "pgq: a job with delivery::at_most_once has a limit on running jobs over all workers, but the database does "
        "not have the job while it runs. Use limiter::concurrency, or remove delivery::at_most_once.");
};

template <class Job, class Driver>
struct no_delivery_at_most_once {
    static_assert(never<Job, Driver>,
                  "pgq: the driver of the queue cannot deliver a job at most once. Use driver::libpq or "
                  "driver::memory, or remove delivery::at_most_once.");
};

/// `Handler` takes a batch or a transaction, or is a coroutine.
template <class Job, class Handler>
struct wrong_handler_at_most_once {
    static_assert(never<Job, Handler>,
                  "pgq: a job with delivery::at_most_once has a batch handler, a handler with a transaction, or a "
                  "coroutine. Let the handler be a function that takes `const Job&`, or `const Job&, pgq::context&`.");
};

}  // namespace pgq::diagnostic
