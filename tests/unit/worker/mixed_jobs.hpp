#pragma once

#include "support/jobs.hpp"

#include <pgq/backoff/none.hpp>
#include <pgq/serializer/json.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace test {

/// Jobs that end in every way, and a record of their runs: what must be true when all of them have ended, whatever
/// failed on the way.
class mixed_jobs {
public:
    static constexpr std::int16_t max_attempts = 3;

    explicit mixed_jobs(std::int64_t count)
        : runs_(static_cast<std::size_t>(count)), ends_(static_cast<std::size_t>(count)) {}

    std::int64_t size() const noexcept { return static_cast<std::int64_t>(runs_.size()); }

    pgq::outcome run(const note& job) {
        const int run = ++runs_.at(static_cast<std::size_t>(job.n));
        switch (way(job.n)) {
        case discarded: return ended(job), pgq::discard{"not wanted"};
        case held: return ended(job), pgq::hold{"for a person"};
        case retried:
            if (run == 1) return pgq::retry_after{{}, "not yet"};
            break;
        case snoozed:
            if (run == 1) return pgq::snooze{std::chrono::milliseconds{100}};
            break;
        case retried_later:
            if (run == 1) return pgq::retry_after{std::chrono::milliseconds{1}, "in a moment"};
            break;
        case failing:
            if (run >= max_attempts) ended(job);
            throw std::runtime_error{"always"};
        default: break;
        }
        return ended(job), pgq::done{};
    }

    /// Describes what is wrong after all jobs have ended. `once`: every run must count, because no lease was lost.
    /// `may_be_held`: the database refused outcomes, which then became holds.
    template <class Queue>
    std::string describe_errors(Queue& jobs, bool once, bool may_be_held = false) {
        const auto counts = jobs.template counts<note>();
        if (!counts) return counts.error().text();
        if (counts->ready + counts->deferred + counts->leased != 0)
            return std::to_string(counts->ready) + " ready, " + std::to_string(counts->deferred) + " deferred, " +
                   std::to_string(counts->leased) + " leased are left";
        std::set<std::int64_t> kept;
        const auto held_jobs = jobs.template held<note>(10000);
        if (!held_jobs) return held_jobs.error().text();
        for (const auto& h : *held_jobs) {
            note job;
            (void)pgq::serializer::json{}.read(h.body, job);
            if (!kept.insert(job.n).second) return "job " + std::to_string(job.n) + " is held twice";
        }
        for (std::int64_t n = 0; n < size(); ++n)
            if (auto wrong = wrong_with(n, kept.contains(n), once, may_be_held); !wrong.empty())
                return "job " + std::to_string(n) + " " + wrong;
        return {};
    }

private:
    enum ways { discarded = 4, held, retried, snoozed, failing, retried_later };

    static int way(std::int64_t n) noexcept { return static_cast<int>(n % 10); }
    static bool ends_held(std::int64_t n) noexcept { return way(n) == held || way(n) == failing; }
    static int expected_runs(std::int64_t n) noexcept {
        if (way(n) == failing) return max_attempts;
        return way(n) == retried || way(n) == snoozed || way(n) == retried_later ? 2 : 1;
    }
    void ended(const note& job) { ++ends_.at(static_cast<std::size_t>(job.n)); }

    std::string wrong_with(std::int64_t n, bool is_held, bool once, bool may_be_held) const {
        const int runs = runs_[static_cast<std::size_t>(n)], ends = ends_[static_cast<std::size_t>(n)];
        if (is_held && !ends_held(n) && !may_be_held) return "is held";
        if (!is_held && ends_held(n)) return "is not held";
        if (!is_held && ends == 0) return "is gone, but was never done";
        if (once && !may_be_held && runs != expected_runs(n)) return "ran " + std::to_string(runs) + " times";
        if (once && ends > 1) return "ended " + std::to_string(ends) + " times";
        return {};
    }

    std::vector<std::atomic<int>> runs_;
    std::vector<std::atomic<int>> ends_;
};

template <class Driver, class Executor, class... Policies>
using mixed_queue = pgq::queue<note, Driver, pgq::serializer::json, Executor, pgq::backoff::none, Policies...>;

inline pgq::worker_options mixed_options(pgq::run_until until = pgq::run_until::drained) {
    return {.max_attempts = mixed_jobs::max_attempts, .max_prefetch = 8, .until = until};  // many small claims
}

}  // namespace test
