#pragma once

#include <pgq/concept/observer.hpp>
#include <pgq/event/events.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/observer/cells_by_name.hpp>
#include <pgq/observer/metric_families.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/version.hpp>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::observer {

struct prometheus_options {
    /// So many pairs of queue and entrypoint, and so many schedules, have series of their own. Further ones share the
    /// series whose labels are "(other)".
    std::size_t max_names = 200;
};

namespace detail {

// Adds and reads without a lock. Numbers that belong together may differ by what happens meanwhile.
using count_cell = std::atomic<std::uint64_t>;
inline void count(count_cell& c, std::uint64_t n = 1) noexcept { c.fetch_add(n, std::memory_order_relaxed); }
inline double value_of(const count_cell& c) noexcept { return static_cast<double>(c.load(std::memory_order_relaxed)); }

using duration_bounds = std::array<double, 17>;  // in seconds
inline constexpr duration_bounds run_bounds{.001, .0025, .005, .01, .025, .05, .1,  .25, .5,
                                            1,    2.5,   5,    10,  30,   60,  120, 300};
inline constexpr duration_bounds wait_bounds{.001, .005, .01, .05, .1,   .5,   1,      2.5,   5,
                                             10,   30,   60,  300, 1800, 3600, 14'400, 86'400};

/// Counts durations in the buckets of `Bounds`.
template <const duration_bounds& Bounds>
class duration_cells {
public:
    void add(duration d) noexcept {
        const double seconds = std::chrono::duration<double>(d).count();
        const auto bucket = std::lower_bound(Bounds.begin(), Bounds.end(), seconds) - Bounds.begin();
        nanoseconds_.fetch_add(std::max<std::int64_t>(0, d.count()), std::memory_order_relaxed);
        count(buckets_[static_cast<std::size_t>(bucket)]);
    }
    metric_families::metric::Histogram read() const {
        metric_families::metric::Histogram h;
        h.bucket.reserve(Bounds.size());
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < Bounds.size(); ++i) {
            sum += buckets_[i].load(std::memory_order_relaxed);
            h.bucket.push_back({sum, Bounds[i]});
        }
        h.sample_count = sum + buckets_.back().load(std::memory_order_relaxed);
        h.sample_sum = static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) * 1e-9;
        return h;
    }

private:
    std::array<count_cell, Bounds.size() + 1> buckets_{};  // the last one: longer than all bounds
    std::atomic<std::int64_t> nanoseconds_{0};
};

// On cache lines of its own, so that entrypoints do not slow each other down.
struct alignas(64) lane_cells {
    static constexpr std::size_t reasons = 3;

    count_cell enqueued{0}, claimed{0}, started{0}, cancelled{0}, tries_failed{0}, exceeded_timeout{0};
    std::array<count_cell, reasons> returned{};
    std::array<count_cell, outcome::kinds> outcomes{};
    duration_cells<run_bounds> run_time{};
    duration_cells<wait_bounds> wait{};
};
struct schedule_cells {
    count_cell fired{0}, skipped{0}, missed{0};
};

}  // namespace detail

/// Counts the events of a program for Prometheus. docs/guides/monitoring.md lists the metrics.
///
///     pgq::observer::prometheus metrics;
///     app_queue jobs{driver, {}, executor, metrics};
///     prometheus::Exposer exposer{"0.0.0.0:9464"};
///     exposer.RegisterCollectable(metrics.collectable());
///
/// Copies share one set of counts. It is a prometheus::Collectable itself, for your own exposition. To count is some
/// relaxed additions and the search for a name, without a lock; only the first job of an entrypoint allocates memory.
/// Several queues of a program may have copies of one. The labels are names of queues, entrypoints and schedules, and
/// fixed words. Any thread may call any member.
class prometheus : public ::prometheus::Collectable {
public:
    using policy_category = observer_tag;

    prometheus() : prometheus{prometheus_options{}} {}
    explicit prometheus(const prometheus_options& o) : state_{std::make_shared<state>(o)} {}

    /// For prometheus::Exposer::RegisterCollectable, which does not own it. It stays alive with the last copy.
    std::shared_ptr<::prometheus::Collectable> collectable() const { return state_; }
    std::vector<::prometheus::MetricFamily> Collect() const override { return state_->Collect(); }

    void on(const event::jobs_enqueued& e) noexcept { detail::count(of(e).enqueued, e.count); }
    void on(const event::jobs_claimed& e) noexcept { detail::count(of(e).claimed, e.count); }
    void on(const event::jobs_returned& e) noexcept {
        detail::count(of(e).returned[static_cast<std::size_t>(e.why)], e.count);
    }
    void on(const event::job_cancelled& e) noexcept { detail::count(of(e).cancelled); }
    void on(const event::job_started& e) noexcept {
        auto& cells = of(e);
        detail::count(cells.started);
        if (e.attempt == 1) cells.wait.add(e.waited);
    }
    void on(const event::job_finished& e) noexcept {
        auto& cells = of(e);
        detail::count(cells.outcomes[static_cast<std::size_t>(e.what)]);
        if (e.started) cells.run_time.add(e.run_time);
    }
    void on(const event::try_failed& e) noexcept { detail::count(of(e).tries_failed); }
    void on(const event::handler_exceeded_timeout& e) noexcept { detail::count(of(e).exceeded_timeout); }
    void on(const event::lease_lost&) noexcept { detail::count(state_->leases_lost); }
    void on(const event::jobs_rescued& e) noexcept {
        detail::count(state_->workers_rescued, static_cast<std::uint64_t>(e.workers));
        detail::count(state_->jobs_returned, static_cast<std::uint64_t>(e.returned));
        detail::count(state_->jobs_held, static_cast<std::uint64_t>(e.held));
    }
    void on(const event::worker_started& e) noexcept {
        state_->slots.fetch_add(static_cast<std::int64_t>(e.slots), std::memory_order_relaxed);
        connected(true);
    }
    void on(const event::worker_stopped& e) noexcept {
        state_->slots.fetch_sub(static_cast<std::int64_t>(e.slots), std::memory_order_relaxed);
    }
    void on(const event::connection_failed&) noexcept {
        detail::count(state_->connection_failures);
        connected(false);
    }
    void on(const event::connection_restored&) noexcept { connected(true); }
    void on(const event::error&) noexcept { detail::count(state_->errors); }
    void on(const event::schedule_fired& e) noexcept { detail::count(of_schedule(e).fired); }
    void on(const event::schedule_skipped& e) noexcept { detail::count(of_schedule(e).skipped); }
    void on(const event::schedule_missed& e) noexcept { detail::count(of_schedule(e).missed); }

private:
    class state final : public ::prometheus::Collectable {
    public:
        explicit state(const prometheus_options& o) : lanes{o.max_names}, schedules{o.max_names} {}

        std::vector<::prometheus::MetricFamily> Collect() const override {
            detail::metric_families all;
            all.gauge("pgq_build_info", "The version of pgq.").add(1, {{"version", PGQ_VERSION}});
            put_lanes(all);
            put_program(all);
            put_schedules(all);
            return all.take();
        }

        detail::cells_by_name<detail::lane_cells> lanes;
        detail::cells_by_name<detail::schedule_cells> schedules;
        detail::count_cell leases_lost{0}, workers_rescued{0}, jobs_returned{0}, jobs_held{0};
        detail::count_cell connection_failures{0}, errors{0};
        std::atomic<std::int64_t> slots{0};
        std::atomic<int> connected{-1};  // -1: nothing is known

    private:
        // One sample for each entrypoint.
        template <class Value>
        void per_lane(detail::metric_families& to, Value value) const {
            lanes.for_each([&](const std::string& queue, const std::string& entrypoint, const detail::lane_cells& c) {
                to.add(value(c), {{"queue", queue}, {"entrypoint", entrypoint}});
            });
        }
        void put_counter(detail::metric_families& to, const char* name, const char* help,
                         detail::count_cell detail::lane_cells::*member) const {
            to.counter(name, help);
            per_lane(to, [member](const detail::lane_cells& c) { return detail::value_of(c.*member); });
        }
        // One sample for each entrypoint and each word.
        template <class Words, class Cells>
        void per_word(detail::metric_families& to, const char* label, std::size_t words, Words word,
                      Cells detail::lane_cells::*member) const {
            lanes.for_each([&](const std::string& queue, const std::string& entrypoint, const detail::lane_cells& c) {
                for (std::size_t i = 0; i < words; ++i)
                    to.add(detail::value_of((c.*member)[i]),
                           {{"queue", queue}, {"entrypoint", entrypoint}, {label, word(i)}});
            });
        }
        void put_lanes(detail::metric_families& to) const {
            using cells = detail::lane_cells;
            put_counter(to, "pgq_jobs_enqueued_total", "Jobs that this program has enqueued.", &cells::enqueued);
            put_counter(to, "pgq_jobs_claimed_total", "Jobs that workers of this program have claimed.",
                        &cells::claimed);
            to.counter("pgq_jobs_returned_total", "Claimed jobs that the workers gave back, by reason.");
            per_word(
                to, "reason", cells::reasons,
                [](std::size_t i) { return name_of(static_cast<event::return_reason>(i)); }, &cells::returned);
            put_counter(to, "pgq_jobs_cancelled_total", "Claimed jobs that somebody cancelled.", &cells::cancelled);
            to.counter("pgq_attempts_finished_total", "Attempts that ended, by outcome.");
            per_word(
                to, "outcome", outcome::kinds, [](std::size_t i) { return name_of(static_cast<outcome::kind>(i)); },
                &cells::outcomes);
            to.gauge("pgq_attempts_running", "Attempts that have started and not ended.");
            per_lane(to, [](const cells& c) {
                const auto ended = static_cast<double>(c.run_time.read().sample_count);  // first: never below zero
                return detail::value_of(c.started) - ended;
            });
            put_counter(to, "pgq_attempts_started_total", "Attempts that started.", &cells::started);
            to.histogram("pgq_attempt_duration_seconds", "How long handlers ran.");
            per_lane(to, [](const cells& c) { return c.run_time.read(); });
            to.histogram("pgq_job_wait_seconds", "Time from the enqueue of a job to the claim of its first attempt.");
            per_lane(to, [](const cells& c) { return c.wait.read(); });
            put_counter(to, "pgq_tries_failed_total", "Calls of handlers that failed inside of an attempt.",
                        &cells::tries_failed);
            put_counter(to, "pgq_handlers_exceeded_timeout_total",
                        "Handlers that ran on after their timeout and its grace.", &cells::exceeded_timeout);
        }
        void put_program(detail::metric_families& to) const {
            const auto put = [&](const char* name, const char* help, const detail::count_cell& c) {
                to.counter(name, help).add(detail::value_of(c));
            };
            to.gauge("pgq_worker_slots", "How many jobs the workers of this program run at once.")
                .add(static_cast<double>(slots.load(std::memory_order_relaxed)));
            put("pgq_leases_lost_total", "Leases that workers of this program lost.", leases_lost);
            put("pgq_workers_rescued_total", "Dead workers that this program found.", workers_rescued);
            to.counter("pgq_jobs_rescued_total", "Jobs of dead workers, by what became of them.")
                .add(detail::value_of(jobs_returned), {{"result", "returned"}})
                .add(detail::value_of(jobs_held), {{"result", "held"}});
            put("pgq_connection_failures_total", "Connections that broke or could not be opened.", connection_failures);
            put("pgq_errors_total", "Errors that this program survived.", errors);
            if (const int now = connected.load(std::memory_order_relaxed); now >= 0)
                to.gauge("pgq_connected", "Whether the connection worked when it was last used.").add(now);
        }
        void put_schedules(detail::metric_families& to) const {
            using cells = detail::schedule_cells;
            const auto put = [&](const char* name, const char* help, detail::count_cell cells::*member) {
                to.counter(name, help);
                schedules.for_each([&](const std::string&, const std::string& schedule, const cells& c) {
                    to.add(detail::value_of(c.*member), {{"schedule", schedule}});
                });
            };
            put("pgq_schedule_fired_total", "Ticks that this program fired.", &cells::fired);
            put("pgq_schedule_skipped_total", "Ticks that enqueued no job.", &cells::skipped);
            put("pgq_schedule_missed_total", "Gaps in which no scheduler ran.", &cells::missed);
        }
    };

    template <class Event>
    detail::lane_cells& of(const Event& e) noexcept {
        return state_->lanes[{.queue = e.queue, .name = e.entrypoint}];
    }
    template <class Event>
    detail::schedule_cells& of_schedule(const Event& e) noexcept {
        return state_->schedules[{.name = e.schedule}];
    }
    void connected(bool now) noexcept { state_->connected.store(now ? 1 : 0, std::memory_order_relaxed); }

    std::shared_ptr<state> state_;
};

static_assert(observer_policy<prometheus> && observes_something<prometheus>);

}  // namespace pgq::observer
