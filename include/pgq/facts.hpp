#pragma once

#include <pgq/compose/handler_match.hpp>

/// Facts about queues and workers that a program can check at compile time:
/// `static_assert(pgq::entrypoints_of<app_queue>.size() == 2); static_assert(pgq::handles<decltype(w), app::resize>);`
namespace pgq {

/// The entrypoints of a queue, sorted: a std::array of std::string_view. It is empty if the queue has a mistake.
template <class Queue>
inline constexpr auto entrypoints_of = Queue::composition_type::entrypoints;

namespace detail {

template <class Worker, class Job>
inline constexpr bool handles_job = false;

template <template <class, class...> class Worker, class Queue, class... Handlers, class Job>
    requires(sizeof...(Handlers) > 0 && Queue::composition_type::template contains<Job>)
inline constexpr bool handles_job<Worker<Queue, Handlers...>, Job> =
    acceptors_of<typename Queue::composition_type, Job, Handlers...>().count == 1;

}  // namespace detail

/// Whether a worker (or async_worker) runs jobs of the type `Job`: its queue has that job type, and exactly one of its
/// handlers takes it. It can be used with any worker type, also with one that has a mistake.
template <class Worker, class Job>
inline constexpr bool handles = detail::handles_job<Worker, Job>;

}  // namespace pgq
