#pragma once

#include <pgq/diagnostic/never.hpp>

// Compile-time messages about decorators of executors.
namespace pgq::diagnostic {

template <class Argument>
struct stray_argument {
    static_assert(never<Argument>,
                  "pgq: a decorator has an argument that it cannot use, or two arguments of one kind. Give it at most "
                  "one of each: an executor or decorator; for retrying also a backoff, tries<N> and budget<time>; for "
                  "timeout also a grace<time>.");
};

template <class Decorator>
struct retrying_without_backoff {
    static_assert(never<Decorator>,
                  "pgq: retrying has no backoff, so the time between its tries is unknown. Add one: "
                  "retrying<pgq::backoff::exponential>.");
};

template <class Decorator>
struct no_time {
    static_assert(
        never<Decorator>,
        "pgq: a timeout has a time of zero or less. Give it a time above zero: timeout<std::chrono::seconds{30}>.");
};

template <class Decorator>
struct no_tries {
    static_assert(never<Decorator>,
                  "pgq: retrying has less than one try, so it never calls the handler. Give it tries<1> or more.");
};

template <class Decorator>
struct entrypoint_only {
    static_assert(
        never<Decorator>,
        "pgq: a whole queue has strand_by. Move it into pgq::job<T, ...> of the job type that has the member.");
};

template <class Job, class Strand>
struct strand_of_another_job {
    static_assert(never<Job, Strand>,
                  "pgq: strand_by names something that is not a member of its job type. Name a member of this type: "
                  "strand_by<&T::member>.");
};

template <class Job, class Key>
struct strand_without_order {
    static_assert(
        never<Job, Key>,
        "pgq: strand_by names a member that cannot be hashed or ordered. Give its type a std::hash and ==, or a <.");
};

/// `Handler` takes no context.
template <class Job, class Handler>
struct timeout_without_context {
    static_assert(never<Job, Handler>,
                  "pgq: a handler with a timeout has no stop token. Let it take `const Job&, pgq::context&` and check "
                  "the stop token, or run it in executor::process.");
};

template <class Job, class Handler>
struct coroutine_in_process {
    static_assert(never<Job, Handler>,
                  "pgq: a handler that is a coroutine cannot run in executor::process. Make it a function: in its own "
                  "process it may block.");
};

}  // namespace pgq::diagnostic
