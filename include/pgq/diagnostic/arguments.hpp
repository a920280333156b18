#pragma once

#include <pgq/concept/backoff.hpp>
#include <pgq/concept/driver.hpp>
#include <pgq/concept/executor.hpp>
#include <pgq/concept/limiter.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/concept/tracer.hpp>
#include <pgq/diagnostic/never.hpp>

#include <concepts>

// Compile-time messages about the arguments of `pgq::queue<...>`. Each is a class template with a static_assert that
// fails. To name it costs nothing; to instantiate it is the error. If a concept is not satisfied, the static_assert
// checks it again, because the compiler then also prints the requirement that failed.
namespace pgq::diagnostic {

template <class Argument>
struct neither_job_nor_policy {
    static_assert(never<Argument>,
                  "pgq: an argument is neither a job nor a policy. Write pgq::job<T> for a job type T; a policy "
                  "declares `using policy_category = pgq::..._tag;`.");
};

template <class Policy, class Category>
struct unknown_category {
    static_assert(
        never<Policy, Category>,
        "pgq: a policy names a category that does not exist. Use driver_tag, serializer_tag, executor_tag, "
        "backoff_tag, limiter_tag, delivery_tag, uniqueness_tag, schedule_tag or observer_tag of namespace pgq.");
};

template <class Limiter>
struct incomplete_limiter {
    static_assert(limiter_policy<Limiter>,
                  "pgq: a limiter does not model pgq::limiter_policy. Make it copyable, and give it admit(), began() "
                  "and ended(), or declare(), as in pgq/concept/limiter.hpp.");
};

template <class Limiter>
struct rate_of_zero {
    static_assert(
        never<Limiter>,
        "pgq: with a rate of zero or less no job starts. Give a positive amount, or set the limit to 0 at run time.");
};

template <class Limiter>
struct burst_of_zero {
    static_assert(never<Limiter>,
                  "pgq: with a burst of zero or less no job starts. Give a positive burst, or omit it.");
};

template <class Limiter>
struct concurrency_of_zero {
    static_assert(never<Limiter>,
                  "pgq: with a concurrency of zero or less no job starts. Give a positive number, or set the limit to "
                  "0 at run time.");
};

template <class Limiter>
struct two_keys {
    static_assert(never<Limiter>,
                  "pgq: two limiters of one entrypoint limit by a key. Remove one of them: a job has one key.");
};

template <class Job, class Limiter>
struct key_of_another_job {
    static_assert(never<Job, Limiter>,
                  "pgq: a limiter by key cannot make its key from this job. Name a member of this job that is text, an "
                  "integer, a bool or an enumerator.");
};

template <class Limiter>
struct keyed_limiter_of_a_queue {
    static_assert(never<Limiter>,
                  "pgq: a whole queue has a limiter by key. Move it to one entrypoint: pgq::job<T, limiter>.");
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
        "pgq: a backoff does not model pgq::backoff_policy. Give it `pgq::duration delay(int) const noexcept`, or "
        "another duration that converts to it without loss.");
};

template <class Observer>
struct observes_nothing {
    static_assert(never<Observer>,
                  "pgq: an observer handles no event. Give it a public `void on(const pgq::event::job_finished&)`, or "
                  "one for another event of pgq/event/events.hpp, or remove it.");
};

template <class Observer>
struct observer_changes_event {
    static_assert(never<Observer>,
                  "pgq: an observer takes an event by non-const reference, so it is never called. Let it take `const "
                  "pgq::event::...&`.");
};

template <class Observer>
struct observer_hides_overload {
    static_assert(
        never<Observer>,
        "pgq: an observer has an overload of on() that is never called. Make it public, and let it take `const "
        "pgq::event::...&`, or give it another name.");
};

template <class Observer>
struct incomplete_tracer {
    static_assert(tracer<Observer>,
                  "pgq: an observer is an incomplete tracer. Give it public start_send and start_process; their spans "
                  "are movable and have context() and end(), that of start_process also activate(): see "
                  "pgq/concept/tracer.hpp.");
};

template <class Observer>
struct two_tracers {
    static_assert(never<Observer>,
                  "pgq: an observer::all_of has two tracers, but a job has one place for a trace. Leave one of them "
                  "out.");
};

template <class Backoff>
struct backoff_without_spec {
    static_assert(never<Backoff>,
                  "pgq: backoff::stored is around a backoff that has no spec. Give it "
                  "`pgq::backoff::spec as_spec() const`, or use fixed, linear, exponential or jittered.");
};

template <class Policy>
struct no_default_policy {
    static_assert(std::default_initializable<Policy>,
                  "pgq: a serializer, backoff or limiter has no default constructor. Add one, and make its settings "
                  "template arguments: the library constructs it where it is used.");
};

template <class First, class Second>
struct two_of_one_category {
    static_assert(never<First, Second>,
                  "pgq: two policies have the same category. Keep one of them: a queue or an entrypoint has one policy "
                  "of each category.");
};

template <class Job, class Policy>
struct queue_wide_policy {
    static_assert(
        never<Job, Policy>,
        "pgq: an entrypoint has a policy that only a whole queue may have. Move it out of pgq::job<...>; an entrypoint "
        "may have a serializer, a backoff, a limiter, a delivery, settings, unique keys, a schedule and "
        "decorators of the executor.");
};

template <class... Arguments>
struct no_jobs {
    static_assert(never<Arguments...>, "pgq: a queue has no jobs. Add pgq::job<T> for each job type T.");
};

template <class... Arguments>
struct no_driver {
    static_assert(never<Arguments...>,
                  "pgq: a queue has no driver. Add the driver that stores the jobs: pgq::driver::libpq, or "
                  "pgq::driver::memory in tests.");
};

template <class Job>
struct no_serializer {
    static_assert(never<Job>,
                  "pgq: a job type has no serializer. Add pgq::serializer::json, or another one, to the queue or to "
                  "this entrypoint.");
};

}  // namespace pgq::diagnostic
