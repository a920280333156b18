#pragma once

#include <pgq/job/id.hpp>
#include <pgq/protocol/histogram.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/worker/job_counters.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace pgq::detail {

/// Makes reports of what a worker has counted, each of what is new since the one before:
///
///     next() --> pending --> stored() --> the next report has what is new
///                   |  ^
///                   |  +--- in_doubt(): the answer is lost; next() has the same report again, with its number
///                   +------ otherwise it is not stored, and next() has it again
///
/// A report that is in doubt is dropped if the worker has another id by then: it may be stored under the former one.
/// One thread at a time uses it.
class counter_reports {
public:
    explicit counter_reports(const job_counters& counters) noexcept : counters_{&counters} {}

    /// For the worker `id`. Valid until the next call of a member.
    minute_report next(worker_id id) {
        if (in_doubt_ && id != worker_) stored();
        worker_ = id;
        if (rows_.empty()) collect();
        return {.number = number_, .rows = rows_};
    }
    void stored() noexcept {
        rows_.clear();
        in_doubt_ = false;
    }
    void in_doubt() noexcept { in_doubt_ = !rows_.empty(); }

private:
    /// What has been reported of a lane.
    struct reported {
        std::uint64_t done = 0, retried = 0, held = 0, discarded = 0, cancelled = 0, wait_us = 0, run_us = 0;
        std::array<std::uint64_t, duration_histogram::buckets> wait{}, run{};
        std::array<std::uint64_t, lane_counters::minutes> enqueued{};
    };

    void collect() {
        std::size_t i = 0;
        counters_->for_each([&](const lane_counters& c) {
            if (i == reported_.size()) reported_.emplace_back();
            collect(c, reported_[i++]);
        });
        if (!rows_.empty()) ++number_;
    }
    void collect(const lane_counters& c, reported& r) {
        minute_counts row{.lane = c.lane};
        job_statistics& s = row.what;
        s.done = advance(r.done, c.done);
        s.retried = advance(r.retried, c.retried);
        s.held = advance(r.held, c.held);
        s.discarded = advance(r.discarded, c.discarded);
        s.cancelled = advance(r.cancelled, c.cancelled);
        s.wait.sum = std::chrono::microseconds{advance(r.wait_us, c.wait_us)};
        s.run.sum = std::chrono::microseconds{advance(r.run_us, c.run_us)};
        for (std::size_t b = 0; b < duration_histogram::buckets; ++b) {
            s.wait.counts[b] = advance(r.wait[b], c.wait[b]);
            s.run.counts[b] = advance(r.run[b], c.run[b]);
        }
        if (s != job_statistics{}) rows_.push_back(row);
        for (std::size_t m = 0; m < lane_counters::minutes; ++m) {
            const std::uint64_t now = c.enqueued[m].load(std::memory_order_relaxed), before = r.enqueued[m];
            if (now == before) continue;
            r.enqueued[m] = now;
            // A slot that has had another minute in between has begun again.
            const bool goes_on = now >> 32 == before >> 32 && now > before;
            const auto jobs = (now & UINT32_MAX) - (goes_on ? before & UINT32_MAX : 0);
            rows_.push_back({.lane = c.lane,
                             .minute = static_cast<std::int64_t>(now >> 32),
                             .what = {.enqueued = static_cast<std::int64_t>(jobs)}});
        }
    }
    static std::int64_t advance(std::uint64_t& before, const single_writer_count& count) noexcept {
        const std::uint64_t now = count.read(), more = now - before;
        before = now;
        return static_cast<std::int64_t>(more);
    }

    const job_counters* counters_;
    std::deque<reported> reported_{};  // in the order of the counters
    std::vector<minute_counts> rows_{};
    std::int64_t number_ = 0;
    worker_id worker_{};
    bool in_doubt_ = false;
};

}  // namespace pgq::detail
