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

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
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

/// The schedules of a worker's job types, and what fires those of the queue while the worker runs, by a session of its
/// own. `core` and `worker` must outlive it.
template <class Composition>
class worker_schedules {
    using loop_type = schedule_loop<typename Composition::driver, typename Composition::observer>;

public:
    /// `Jobs` are job types with a schedule. A request to stop ends all.
    template <class... Jobs>
    worker_schedules(queue_core<Composition>& core, type_list<Jobs...>, const worker_options& worker,
                     std::stop_token stop)
        : core_{&core},
          options_{.poll_interval = worker.poll_interval, .connect_timeout = worker.connect_timeout},
          on_stop_{std::move(stop), ender{&ended_}} {
        if (worker.queues != nullptr)
            added_ = error_info{errc::invalid_option, "a worker of many queue names has a job type with a schedule",
                                "a schedule belongs to one queue: run a pgq::scheduler for each"};
        else {
            (use_finder<schedule_of<Composition, Jobs>>(), ...);
            (void)((added_ = add<Jobs>()).has_value() && ...);
        }
    }

    /// Stores the schedules. An error keeps the worker from starting. Blocks.
    result<void> begin() {
        if (!added_) return added_;
        const auto lanes = core_->connection.lane_names();
        if (!lanes) return lanes.error();
        loop_.emplace(core_->connection.driver(), core_->observer, core_->connection.name(), *lanes, declared_,
                      options_, ended_.get_token());
        return loop_->begin();
    }
    /// After begin(): blocks until end(), or a request to stop.
    void fire_ticks() { loop_->fire_ticks(); }
    /// From any thread.
    void end() noexcept { ended_.request_stop(); }

private:
    struct ender {
        std::stop_source* ended;
        void operator()() const noexcept { ended->request_stop(); }
    };

    template <class Policy>
    void use_finder() {
        if constexpr (requires { Policy::find_zone(std::string_view{}); })
            options_.zones = [](std::string_view name) { return Policy::find_zone(name); };
    }
    template <class Job>
    result<void> add() {
        using policy = schedule_of<Composition, Job>;
        schedule_options o;
        if constexpr (requires { policy::set(o); }) policy::set(o);
        if (o.name.empty()) o.name = entrypoint_of<Job>;
        if (auto fine = check(o, options_); !fine) return fine;
        auto made = declared_schedule::make<Composition>(std::string{policy::expression}, Job{}, std::move(o),
                                                         core_->keep_results);
        if (!made) return std::move(made.error());
        declared_.push_back(std::move(*made));
        return {};
    }

    queue_core<Composition>* core_;
    scheduler_options options_;
    std::vector<declared_schedule> declared_{};
    result<void> added_{};
    std::stop_source ended_{};
    std::optional<loop_type> loop_{};
    std::stop_callback<ender> on_stop_;  // the last member: it uses the others
};

/// Calls `work`, which runs a worker, while a thread fires the schedules of the queue. First it stores the schedules of
/// `Jobs`; if it cannot, it returns the error and does not call `work`.
template <class Composition, class... Jobs, class Work>
result<void> work_on_schedule(queue_core<Composition>& core, type_list<Jobs...> jobs, const worker_options& worker,
                              const std::stop_token& stop, Work work) {
    worker_schedules<Composition> schedules{core, jobs, worker, stop};
    if (auto begun = schedules.begin(); !begun) return stop.stop_requested() ? result<void>{} : begun;
    const std::jthread fires{[&](const std::stop_token& worker_ended) {
        const std::stop_callback on_end{worker_ended, [&] { schedules.end(); }};
        schedules.fire_ticks();
    }};
    return work();
}

}  // namespace pgq::detail
