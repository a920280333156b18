#pragma once

#include <pgq/concept/backoff.hpp>
#include <pgq/concept/driver.hpp>
#include <pgq/concept/executor.hpp>
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
                  "backoff_tag or observer_tag of namespace pgq.");
};

template <class Limiter>
struct limiter_given {
    static_assert(never<Limiter>, "pgq: limiters are not available in this version. Leave the limiter out.");
};

template <class Driver>
struct incomplete_driver {
    static_assert(driver_policy<Driver>,
                  "pgq: a driver does not model pgq::driver_policy. Give it connect(), install() and a session with "
                  "all of pgq/concept/driver.hpp.");
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

template <class Policy>
struct no_default_policy {
    static_assert(
        std::default_initializable<Policy>,
        "pgq: a serializer or backoff has no default constructor. Add one and put its settings into its type: it "
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
    static_assert(never<Job, Policy>,
                  "pgq: a policy of the whole queue is given to a single entrypoint. Move it out of pgq::job<...>; an "
                  "entrypoint has only a serializer and a backoff of its own.");
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
