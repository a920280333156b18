#pragma once

#include <pgq/client/queue_core.hpp>
#include <pgq/compose/composition.hpp>
#include <pgq/compose/served_jobs.hpp>
#include <pgq/concept/policy.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/schedule/declared_schedule.hpp>
#include <pgq/schedule/schedule_loop.hpp>
#include <pgq/schedule/schedule_options.hpp>
#include <pgq/worker/worker_options.hpp>

#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgq::detail {

/// The policy that schedules the jobs of one type; void without one, also if the composition does not have the type.
template <class Composition, class Job>
struct schedule_policy_of : std::type_identity<void> {};
template <class Composition, class Job>
    requires(Composition::template contains<Job>)
struct schedule_policy_of<Composition, Job>
    : decl_policy<at_t<Composition::template index_of<Job>, typename Composition::declarations>, schedule_tag, void> {};
template <class Composition, class Job>
using schedule_of = typename schedule_policy_of<Composition, Job>::type;

template <class Composition, class Jobs>
struct scheduled_among;
template <class Composition, class... Jobs>
struct scheduled_among<Composition, type_list<Jobs...>> {
    using type = join_t<list_if<!std::is_void_v<schedule_of<Composition, Jobs>>, Jobs>...>;
};

/// The job types with a schedule that a worker of `Queue` serves.
template <class Queue>
using scheduled_jobs_t = typename scheduled_among<typename Queue::composition_type, served_jobs_t<Queue>>::type;

template <class Composition, class Job>
result<void> add_schedule_of(std::vector<declared_schedule>& to, duration keep_results) {
    auto made = declared_schedule::make<Composition>(std::string{schedule_of<Composition, Job>::expression}, Job{},
                                                     {.name = std::string{entrypoint_of<Job>}}, keep_results);
    if (!made) return std::move(made.error());
    to.push_back(std::move(*made));
    return {};
}

/// Calls `work`, which runs a worker, while a thread with a session of its own fires the schedules of the queue. First
/// it stores the schedules of `Jobs`; if it cannot, it returns the error and does not call `work`.
template <class Composition, class... Jobs, class Work>
result<void> work_on_schedule(queue_core<Composition>& core, type_list<Jobs...>, const worker_options& worker,
                              const std::stop_token& stop, Work work) {
    if (worker.queues != nullptr)
        return error_info{errc::invalid_option, "a worker of many queue names has a job type with a schedule",
                          "a schedule belongs to one queue: run a pgq::scheduler for each"};
    const auto lanes = core.connection.lane_names();
    if (!lanes) return lanes.error();
    std::vector<declared_schedule> declared;
    result<void> added;
    (void)((added = add_schedule_of<Composition, Jobs>(declared, core.keep_results)).has_value() && ...);
    if (!added) return added;
    const scheduler_options options{.poll_interval = worker.poll_interval, .connect_timeout = worker.connect_timeout};

    std::stop_source ended;
    const auto end = [&ended] { ended.request_stop(); };
    const std::stop_callback on_stop{stop, end};
    schedule_loop<typename Composition::driver, typename Composition::observer> loop{
        core.connection.driver(), core.observer, core.connection.name(), *lanes, declared, options, ended.get_token()};
    if (auto begun = loop.begin(); !begun) return stop.stop_requested() ? result<void>{} : begun;
    const std::jthread fires{[&](const std::stop_token& worker_ended) {
        const std::stop_callback on_end{worker_ended, end};
        loop.fire_ticks();
    }};
    return work();
}

}  // namespace pgq::detail
