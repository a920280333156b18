#pragma once

#include <pgq/diagnostic/calls.hpp>
#include <pgq/diagnostic/never.hpp>

#include <type_traits>

// Compile-time messages about the part of a queue that a worker serves.
namespace pgq::diagnostic {

/// `Jobs` is the list of the job types of the queue.
template <class Job, class Jobs>
struct serves_unknown_job {
    static_assert(never<Job, Jobs>,
                  "pgq: pgq::serving names a job type that this queue does not have. Add pgq::job<T> to the queue, or "
                  "remove the type from pgq::serving.");
};

template <class Job>
struct serves_job_twice {
    static_assert(never<Job>, "pgq: pgq::serving names a job type twice. Write each type once.");
};

template <class Jobs>
struct serves_nothing {
    static_assert(never<Jobs>,
                  "pgq: pgq::serving names no job type. Write the types that the worker runs: "
                  "pgq::serving<mail, resize>(queue), or give the worker the queue itself.");
};

/// `Jobs` is the list of the job types that the worker serves.
template <class Job, class Handler, class Jobs>
struct handler_of_unserved_job {
    static_assert(never<Job, Handler, Jobs>,
                  "pgq: a handler takes a job type of the queue that this worker does not serve. Add the type to "
                  "pgq::serving, or remove the handler.");
};

namespace detail {

template <class Composition, class... Served>
struct served_check {
    using type = std::true_type;
};
template <class Composition>
struct served_check<Composition> {
    using type = serves_nothing<typename Composition::jobs>;
};
template <class Composition, class First, class... Rest>
struct served_check<Composition, First, Rest...> {
    template <bool IsKnown, bool IsRepeated>
    static auto find() {
        if constexpr (!IsKnown) return std::type_identity<serves_unknown_job<First, typename Composition::jobs>>{};
        else if constexpr (IsRepeated) return std::type_identity<serves_job_twice<First>>{};
        else if constexpr (sizeof...(Rest) == 0) return std::type_identity<std::true_type>{};
        else return std::type_identity<typename served_check<Composition, Rest...>::type>{};
    }
    using type =
        typename decltype(find<Composition::template contains<First>, (std::is_same_v<First, Rest> || ...)>())::type;
};

}  // namespace detail

/// True if a worker can serve these job types of the composition; otherwise a compile error with a message.
template <class Composition, class... Jobs>
struct require_served_jobs
    : std::bool_constant<std::is_same_v<typename detail::served_check<Composition, Jobs...>::type, std::true_type>> {
    static_assert(sizeof(typename detail::served_check<Composition, Jobs...>::type) != 0);
};

}  // namespace pgq::diagnostic
