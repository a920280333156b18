#pragma once

#include <pgq/diagnostic/never.hpp>

// The messages about decorators of executors.
namespace pgq::diagnostic {

template <class Argument>
struct stray_argument {
    static_assert(
        never<Argument>,
        "pgq: a decorator has an argument that it does not take, or two of one kind. Give it at most one of each: "
        "an executor or decorator, and retrying a backoff, tries<N> and budget<time>, timeout a grace<time>.");
};

template <class Decorator>
struct retrying_without_backoff {
    static_assert(never<Decorator>,
                  "pgq: retrying does not say how long it waits. Add a backoff: retrying<pgq::backoff::exponential>.");
};

template <class Decorator>
struct no_time {
    static_assert(
        never<Decorator>,
        "pgq: a timeout leaves no time at all. Give it a time above zero: timeout<std::chrono::seconds{30}>.");
};

template <class Decorator>
struct no_tries {
    static_assert(never<Decorator>, "pgq: retrying calls the handler not even once. Give it tries<1> or more.");
};

template <class Decorator>
struct entrypoint_only {
    static_assert(
        never<Decorator>,
        "pgq: strand_by is given to a whole queue. Move it into pgq::job<T, ...> of the job type that has the member.");
};

template <class Job, class Strand>
struct strand_of_another_job {
    static_assert(never<Job, Strand>,
                  "pgq: strand_by names something that is no member of its job. Name one of this job type: "
                  "strand_by<&T::member>.");
};

template <class Job, class Key>
struct strand_without_order {
    static_assert(never<Job, Key>,
                  "pgq: strand_by names a member that can neither be hashed nor ordered. Give its type a std::hash and "
                  "==, or a <.");
};

/// `Handler` takes no context.
template <class Job, class Handler>
struct timeout_unseen {
    static_assert(
        never<Job, Handler>,
        "pgq: a handler with a timeout cannot see it. Let it take `const Job&, pgq::context&` and look at the stop "
        "token, or run it in executor::process.");
};

template <class Job, class Handler>
struct coroutine_in_process {
    static_assert(never<Job, Handler>,
                  "pgq: a coroutine handler cannot run in executor::process. Make it a function: in a process of its "
                  "own it may block.");
};

}  // namespace pgq::diagnostic
