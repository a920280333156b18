#pragma once

#include <pgq/concept/policy.hpp>

#include <type_traits>

namespace pgq {

/// Declares a job type of a queue with the policies of its entrypoint, in any order: a serializer, a backoff, a
/// delivery, settings such as `attempts<5>`, unique keys, a schedule, a limiter, decorators of the executor. The
/// first four replace the queue's. A limiter holds together with the queue's, and decorators go around the queue's
/// executor.
/// Without policies you can write the job type alone: `queue<job<J>, ...>` and `queue<J, ...>` are one type.
template <class Job, class... Policies>
struct job {};

namespace detail {

template <class T>
inline constexpr bool is_job_decl = false;
template <class Job, class... Policies>
inline constexpr bool is_job_decl<job<Job, Policies...>> = true;

/// An argument of a queue that declares no job.
template <class T>
inline constexpr bool is_policy = !is_job_decl<T> && has_policy_category<T>;

template <class T>
struct job_decl_of {
    using type = job<T>;
};
template <class Job, class... Policies>
struct job_decl_of<job<Job, Policies...>> {
    using type = job<Job, Policies...>;
};

template <class Decl>
struct declared_job;
template <class Job, class... Policies>
struct declared_job<job<Job, Policies...>> {
    using type = Job;
};

/// The job type of a declaration, or of a bare job type.
template <class T>
using declared_job_t = typename declared_job<typename job_decl_of<T>::type>::type;

}  // namespace detail
}  // namespace pgq
