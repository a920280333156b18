#pragma once

#include <pgq/concept/observer.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/event/events.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/observer/cells_by_name.hpp>
#include <pgq/time/clock.hpp>

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

/// The number of attempts of one entrypoint or of all entrypoints, by outcome.
struct job_counts {
    std::uint64_t started = 0;
    std::array<std::uint64_t, outcome::kinds> outcomes{};  ///< by outcome::kind
    duration run_time{};                                   ///< the sum over all finished attempts

    std::uint64_t of(outcome::kind k) const noexcept { return outcomes[static_cast<std::size_t>(k)]; }
    std::uint64_t finished() const noexcept {
        std::uint64_t sum = 0;
        for (const auto n : outcomes) sum += n;
        return sum;
    }

    job_counts& operator+=(const job_counts& other) noexcept {
        started += other.started;
        for (std::size_t i = 0; i < outcomes.size(); ++i) outcomes[i] += other.outcomes[i];
        run_time += other.run_time;
        return *this;
    }
    friend bool operator==(const job_counts&, const job_counts&) = default;
};

/// The values of `counters` at one time. While other threads count, some values may be newer than others.
struct counts {
    struct of_entrypoint {
        std::string entrypoint{};
        job_counts jobs{};
    };

    std::array<std::uint64_t, event::all::size> events{};  ///< the number of each event, in the order of event::all
    std::uint64_t claimed = 0;                             ///< jobs, the sum over all jobs_claimed
    std::uint64_t lost = 0;                                ///< unfinished jobs, the sum over all lease_lost
    std::uint64_t returned = 0;                            ///< jobs of dead workers that are claimable again
    std::uint64_t held_by_rescue = 0;                      ///< jobs of dead workers that are held
    std::uint64_t enqueued = 0;                            ///< jobs, the sum over all jobs_enqueued
    std::uint64_t given_back = 0;                          ///< jobs, the sum over all jobs_returned
    job_counts jobs{};                                     ///< the sum over all entrypoints
    std::vector<of_entrypoint> entrypoints{};              ///< entrypoints with at least one attempt, sorted by name

    template <class Event>
    std::uint64_t of() const noexcept {
        static_assert(pgq::detail::contains_v<Event, event::all>);
        return events[pgq::detail::index_of<Event>(event::all{})];
    }
    /// The counts of one entrypoint; all zero if none of its jobs has started.
    job_counts of(std::string_view entrypoint) const noexcept {
        const auto found = std::find_if(entrypoints.begin(), entrypoints.end(),
                                        [&](const of_entrypoint& e) { return e.entrypoint == entrypoint; });
        return found == entrypoints.end() ? job_counts{} : found->jobs;
    }
};

namespace detail {

// Counts for many threads, without a lock. Each number is consistent by itself, but not with the others.
struct job_cells {
    std::atomic<std::uint64_t> started{0};
    std::array<std::atomic<std::uint64_t>, outcome::kinds> outcomes{};
    std::atomic<std::int64_t> run_time{0};

    job_counts read() const noexcept {
        job_counts c;
        c.started = started.load(std::memory_order_relaxed);
        for (std::size_t i = 0; i < outcomes.size(); ++i) c.outcomes[i] = outcomes[i].load(std::memory_order_relaxed);
        c.run_time = duration{run_time.load(std::memory_order_relaxed)};
        return c;
    }
};

}  // namespace detail

/// Counts every event, and attempts by entrypoint and outcome. Pass a copy to the queue and call `snapshot()` at any
/// time, or read the observer of the queue: `jobs.observer().snapshot()`.
///
/// Copies share one set of counts, which is destroyed with the last copy. The counts start at zero and never decrease.
/// To count is one relaxed addition, without a lock. Only the first job of an entrypoint allocates memory. Any thread
/// may call any member.
class counters {
public:
    using policy_category = observer_tag;

    counters() : cells_{std::make_shared<cells>()} {}

    template <class Event>
        requires pgq::detail::contains_v<Event, event::all>
    void on(const Event& e) noexcept {
        add(cells_->events[pgq::detail::index_of<Event>(event::all{})], 1);
        count(e);
    }

    counts snapshot() const {
        counts c;
        for (std::size_t i = 0; i < c.events.size(); ++i) c.events[i] = read(cells_->events[i]);
        c.claimed = read(cells_->claimed);
        c.lost = read(cells_->lost);
        c.returned = read(cells_->returned);
        c.held_by_rescue = read(cells_->held);
        c.enqueued = read(cells_->enqueued);
        c.given_back = read(cells_->given_back);
        cells_->jobs.for_each([&](const std::string&, const std::string& name, const detail::job_cells& jobs) {
            c.entrypoints.push_back({name, jobs.read()});
        });
        std::sort(c.entrypoints.begin(), c.entrypoints.end(),
                  [](const auto& a, const auto& b) { return a.entrypoint < b.entrypoint; });
        for (const auto& e : c.entrypoints) c.jobs += e.jobs;
        return c;
    }

private:
    using cell = std::atomic<std::uint64_t>;

    struct cells {
        std::array<cell, event::all::size> events{};
        cell claimed{0};
        cell lost{0};
        cell returned{0};
        cell held{0};
        cell enqueued{0};
        cell given_back{0};
        detail::cells_by_name<detail::job_cells> jobs{};
    };

    static void add(cell& c, std::uint64_t n) noexcept { c.fetch_add(n, std::memory_order_relaxed); }
    static std::uint64_t read(const cell& c) noexcept { return c.load(std::memory_order_relaxed); }

    template <class Event>
    void count(const Event&) noexcept {}
    void count(const event::jobs_claimed& e) noexcept { add(cells_->claimed, e.count); }
    void count(const event::jobs_enqueued& e) noexcept { add(cells_->enqueued, e.count); }
    void count(const event::jobs_returned& e) noexcept { add(cells_->given_back, e.count); }
    void count(const event::lease_lost& e) noexcept { add(cells_->lost, e.unfinished); }
    void count(const event::jobs_rescued& e) noexcept {
        add(cells_->returned, static_cast<std::uint64_t>(e.returned));
        add(cells_->held, static_cast<std::uint64_t>(e.held));
    }
    void count(const event::job_started& e) noexcept { add(cells_->jobs[{.name = e.entrypoint}].started, 1); }
    void count(const event::job_finished& e) noexcept {
        auto& jobs = cells_->jobs[{.name = e.entrypoint}];
        add(jobs.outcomes[static_cast<std::size_t>(e.what)], 1);
        jobs.run_time.fetch_add(e.run_time.count(), std::memory_order_relaxed);
    }

    std::shared_ptr<cells> cells_;
};

static_assert(observer_policy<counters> && observes_something<counters>);
static_assert(observes<counters, event::error>);

}  // namespace pgq::observer
