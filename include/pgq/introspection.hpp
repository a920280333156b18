#pragma once

#include <pgq/compose/served_jobs.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/handler/signature.hpp>

/// What a program can assert about its own queues and workers:
/// `static_assert(pgq::entrypoints_of<app_queue>.size() == 2); static_assert(pgq::handles<decltype(w), app::resize>);`
namespace pgq {

/// The entrypoints of a queue, sorted: a std::array of std::string_view. Empty for a queue that does not compile.
template <class Queue>
inline constexpr auto entrypoints_of = Queue::composition_type::entrypoints;

namespace detail {

template <class Worker, class Job>
inline constexpr bool handles_job = false;

template <template <class, class...> class Worker, class Queue, class... Handlers, class Job>
    requires requires {
        typename Queue::composition_type;
    } &&(sizeof...(Handlers) > 0 &&
         contains_v<Job, served_jobs_t<Queue>>)inline constexpr bool handles_job<Worker<Queue, Handlers...>, Job> =
        acceptors_of<typename Queue::composition_type, Job, Handlers...>().count == 1;

}  // namespace detail

/// Whether a worker (or async_worker) of this type runs jobs of this type: it serves the job type, and exactly one
/// of its handlers accepts it. It compiles for every type, also for a worker that does not.
template <class Worker, class Job>
inline constexpr bool handles = detail::handles_job<Worker, Job>;

}  // namespace pgq
