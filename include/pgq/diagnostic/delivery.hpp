#pragma once

#include <pgq/concept/delivery.hpp>
#include <pgq/diagnostic/never.hpp>

// The messages about when jobs are acknowledged.
namespace pgq::diagnostic {

template <class Delivery>
struct incomplete_delivery {
    static_assert(delivery_policy<Delivery>,
                  "pgq: a delivery does not model pgq::delivery_policy. Use delivery::at_least_once or "
                  "delivery::at_most_once.");
};

template <class Job>
struct retried_at_most_once {
    static_assert(never<Job>,
                  "pgq: a job that is delivered at most once is to be retried. Take executor::retrying away, or "
                  "delivery::at_most_once.");
};

template <class Job, class Backoff>
struct backoff_at_most_once {
    static_assert(
        never<Job, Backoff>,
        "pgq: a job that is delivered at most once has a backoff, though it never runs again. Take the backoff "
        "away, or delivery::at_most_once.");
};

template <class Job, class Limiter>
struct uncounted_at_most_once {
    static_assert(never<Job, Limiter>,
                  "pgq: a job that is delivered at most once has a limit on how many run at once over all workers, and "
                  "is gone before it runs. Use limiter::concurrency, or take delivery::at_most_once away.");
};

template <class Job, class Driver>
struct no_delivery_at_most_once {
    static_assert(never<Job, Driver>,
                  "pgq: the queue's driver cannot deliver a job at most once. Use driver::libpq or driver::memory, or "
                  "take delivery::at_most_once away.");
};

/// `Handler` takes batches or a transaction, or is a coroutine.
template <class Job, class Handler>
struct form_at_most_once {
    static_assert(never<Job, Handler>,
                  "pgq: a job that is delivered at most once has a handler of batches, one in a transaction, or a "
                  "coroutine. Let it be a function that takes `const Job&`, or `const Job&, pgq::context&`.");
};

}  // namespace pgq::diagnostic
