#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/concept/serializer.hpp>
#include <pgq/diagnostic/never.hpp>

#include <type_traits>

// The messages about calls on a queue, and the checks that its member functions begin with:
//
//     if constexpr (diagnostic::require_known_job<composition_type, Job>()) { ... }
//
// so that a call that was refused adds no error of its own.
namespace pgq::diagnostic {

/// `Jobs` are those that the queue knows.
template <class Job, class Jobs>
struct unknown_job {
    static_assert(never<Job, Jobs>,
                  "pgq: this queue does not know the job type. Add pgq::job<T> to the queue's arguments.");
};

template <class Driver>
struct blocking_driver {
    static_assert(async_driver<Driver>,
                  "pgq: an asynchronous call on a driver that only blocks. Use a driver of pgq/asio.hpp, "
                  "or the call without async_.");
};

template <class Job, class Serializer>
struct no_result {
    static_assert(keeps_result<Job, Serializer>,
                  "pgq: this job has no result to get. Give its type `using result = ...`, of a type that its serializer "
                  "reads and writes, or call wait().");
};

namespace detail {

template <class Composition, class Job>
inline constexpr bool knows = Composition::valid&& Composition::template contains<Job>;

// A queue that was refused as a whole has had its message.
template <class Composition, class Job>
using unknown_to = std::conditional_t<knows<Composition, Job> || !Composition::valid, std::true_type,
                                      unknown_job<Job, typename Composition::jobs>>;

template <class Driver>
using not_async = std::conditional_t<async_driver<Driver>, std::true_type, blocking_driver<Driver>>;

}  // namespace detail

// Classes, not functions: Clang evaluates no function whose instantiation has seen an error, and would say so.

/// Whether `Job` belongs to the composition; if it does not, that is the error.
template <class Composition, class Job>
struct require_known_job : std::bool_constant<detail::knows<Composition, Job>> {
    static_assert(sizeof(detail::unknown_to<Composition, Job>) != 0);
};

/// Whether what the job's handler returns is kept; if it is not, that is the error.
template <class Job, class Serializer>
struct require_result : std::bool_constant<keeps_result<Job, Serializer>> {
    static_assert(sizeof(no_result<Job, Serializer>) != 0);
};

/// Whether the driver has asynchronous sessions; if it has not, that is the error.
template <class Driver>
struct require_async : std::bool_constant<async_driver<Driver>> {
    static_assert(sizeof(detail::not_async<Driver>) != 0);
};

}  // namespace pgq::diagnostic
