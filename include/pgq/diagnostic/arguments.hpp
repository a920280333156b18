#pragma once

#include <pgq/concept/backoff.hpp>
#include <pgq/concept/driver.hpp>
#include <pgq/concept/executor.hpp>
#include <pgq/concept/limiter.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/diagnostic/never.hpp>

#include <concepts>

// The messages about what is written between the brackets of `pgq::queue<...>`. Each is a class that does not compile:
// naming it costs nothing, instantiating it is the error. Where a concept has failed it is asserted again, because the
// compiler then adds which requirement it was.
namespace pgq::diagnostic {

template <class Argument>
struct neither_job_nor_policy {
    static_assert(never<Argument>,
                  "pgq: an argument is neither a job nor a policy. Write pgq::job<T> for a job type T; a policy says "
                  "`using policy_category = pgq::..._tag;`.");
};

template <class Policy, class Category>
struct unknown_category {
    static_assert(never<Policy, Category>,
                  "pgq: a policy names a category that does not exist. Use driver_tag, serializer_tag, executor_tag, "
                  "backoff_tag, limiter_tag, delivery_tag, uniqueness_tag or observer_tag of namespace pgq.");
};

template <class Limiter>
struct incomplete_limiter {
    static_assert(limiter_policy<Limiter>,
                  "pgq: a limiter does not model pgq::limiter_policy. Make it copyable, and give it admit(), began() "
                  "and ended(), "
                  "or declare(), as in pgq/concept/limiter.hpp.");
};

template <class Limiter>
struct rate_of_zero {
    static_assert(
        never<Limiter>,
        "pgq: a rate of zero or less lets nothing run. Give a positive amount, or set the limit to 0 at run time.");
};

template <class Limiter>
struct burst_of_zero {
    static_assert(never<Limiter>,
                  "pgq: a burst of zero or less lets nothing run. Give a positive burst, or leave it out.");
};

template <class Limiter>
struct concurrency_of_zero {
    static_assert(never<Limiter>,
                  "pgq: a concurrency of zero or less lets nothing run. Give a positive number, or set the "
                  "limit to 0 at run time.");
};

template <class Limiter>
struct two_keys {
    static_assert(never<Limiter>,
                  "pgq: two limiters of one entrypoint tell jobs apart by a key. Leave one of them out: a job "
                  "has one key.");
};

template <class Job, class Limiter>
struct key_of_another_job {
    static_assert(never<Job, Limiter>,
                  "pgq: a limiter by key cannot get its key from this job. Name a member of the job itself that is "
                  "text, a number, "
                  "a bool or an enumerator.");
};

template <class Limiter>
struct keyed_limiter_of_a_queue {
    static_assert(never<Limiter>,
                  "pgq: a limiter by key is given to a whole queue. Give it to one entrypoint: pgq::job<T, limiter>.");
};

template <class Driver>
struct incomplete_driver {
    static_assert(driver_policy<Driver>,
                  "pgq: a driver does not model pgq::driver_policy. Give it connect(), install() and a session with "
                  "the members of pgq::client_session; see pgq/concept/driver.hpp.");
};

template <class Executor>
struct incomplete_executor {
    static_assert(
        executor_policy<Executor>,
        "pgq: an executor does not model pgq::executor_policy. Give it width(), execute(), start() and stop() "
        "as in pgq/concept/executor.hpp.");
};

template <class Backoff>
struct incomplete_backoff {
    static_assert(
        backoff_policy<Backoff>,
        "pgq: a backoff does not model pgq::backoff_policy. Give it `pgq::duration delay(int) const noexcept`.");
};

template <class Observer>
struct observes_nothing {
    static_assert(
        observes_something<Observer>,
        "pgq: an observer observes no event. Give it a public `void on(const pgq::event::job_finished&)`, or one for "
        "another event of pgq/event/events.hpp, or leave it out.");
};

template <class Backoff>
struct backoff_without_recipe {
    static_assert(never<Backoff>,
                  "pgq: a travelling backoff is around one that cannot be written down. Give that "
                  "`pgq::backoff::recipe as_recipe() const`, or use fixed, linear, exponential or jittered.");
};

template <class Policy>
struct no_default_policy {
    static_assert(std::default_initializable<Policy>,
                  "pgq: a serializer, backoff or limiter has no default constructor. Add one and put its settings into "
                  "its type: it "
                  "is made anew where it is used.");
};

template <class First, class Second>
struct two_of_one_category {
    static_assert(
        never<First, Second>,
        "pgq: two policies of one category. Keep one of them: a queue has one policy of each category, and so "
        "has an entrypoint.");
};

template <class Job, class Policy>
struct queue_wide_policy {
    static_assert(
        never<Job, Policy>,
        "pgq: a policy of the whole queue is given to a single entrypoint. Move it out of pgq::job<...>; an "
        "entrypoint has a serializer, a backoff, a limiter, unique keys and decorators of the executor of its own.");
};

template <class... Arguments>
struct no_jobs {
    static_assert(never<Arguments...>, "pgq: a queue without jobs. Add pgq::job<T> for each job type T.");
};

template <class... Arguments>
struct no_driver {
    static_assert(never<Arguments...>,
                  "pgq: no driver. Say where the jobs live: add pgq::driver::libpq or pgq::driver::memory.");
};

template <class Job>
struct no_serializer {
    static_assert(never<Job>,
                  "pgq: no serializer. Add pgq::serializer::json (or another) to the queue or to this entrypoint.");
};

}  // namespace pgq::diagnostic
