#pragma once

#include <pgq/job/id.hpp>
#include <pgq/protocol/histogram.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

namespace pgq::detail {

/// A number that one thread adds to and others read. To add costs a load and a store.
class single_writer_count {
public:
    void add(std::uint64_t n) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    std::uint64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

/// What a worker has counted of one lane since it began. The worker's own thread adds; the heartbeat's thread reads.
/// The numbers only grow, so a reader that sees some of an addition sees the rest of it the next time.
struct lane_counters {
    explicit lane_counters(lane_id of) noexcept : lane{of} {}

    using histogram = std::array<single_writer_count, duration_histogram::buckets>;
    /// The minutes of enqueues that are counted at once. Each is in the slot of its number modulo this.
    static constexpr std::size_t minutes = 64;

    const lane_id lane;
    single_writer_count done{}, retried{}, held{}, discarded{}, cancelled{};
    single_writer_count wait_us{}, run_us{};
    histogram wait{}, run{};
    /// The number of a minute since 1970 in the upper half, and in the lower one how many jobs of it.
    std::array<std::atomic<std::uint64_t>, minutes> enqueued{};

    /// The handler of a job has ended.
    void ran(duration took) noexcept { add(run, run_us, took, 1); }
    /// So many jobs have had a first attempt, which have waited from the one time to the other.
    void began(time_point enqueued_at, time_point claimed_at, std::uint32_t jobs) noexcept {
        add(wait, wait_us, claimed_at - enqueued_at, jobs);
        const auto minute = std::chrono::floor<std::chrono::minutes>(enqueued_at).time_since_epoch().count();
        if (minute <= 0 || minute > UINT32_MAX) return;
        auto& slot = enqueued[static_cast<std::size_t>(minute) % minutes];
        const std::uint64_t was = slot.load(std::memory_order_relaxed), key = static_cast<std::uint64_t>(minute) << 32;
        slot.store((was >> 32 == key >> 32 ? was : key) + jobs, std::memory_order_relaxed);
    }

private:
    static void add(histogram& h, single_writer_count& sum, duration d, std::uint32_t times) noexcept {
        h[duration_histogram::bucket_of(d)].add(times);
        const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(d).count();
        sum.add(static_cast<std::uint64_t>(std::max<std::int64_t>(micros, 0)) * times);
    }
};

/// The counters of all lanes of a worker. The worker's own thread calls of(); the heartbeat's thread calls for_each().
class job_counters {
public:
    /// `index`: the position of the lane among those of the worker. The reference stays valid.
    lane_counters& of(std::size_t index, lane_id lane) {
        if (index < by_index_.size() && by_index_[index] != nullptr) return *by_index_[index];
        const std::lock_guard lock{mutex_};
        by_index_.resize(std::max(by_index_.size(), index + 1));
        return *(by_index_[index] = &all_.emplace_back(lane));
    }
    /// Always in the same order; later lanes come behind.
    template <class F>
    void for_each(F f) const {
        const std::lock_guard lock{mutex_};
        for (const auto& lane : all_) f(lane);
    }

private:
    mutable std::mutex mutex_;  // of `all_`: to add a lane and to go through them
    std::deque<lane_counters> all_;
    std::vector<lane_counters*> by_index_;
};

}  // namespace pgq::detail
