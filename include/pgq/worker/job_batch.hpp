#pragma once

#include <pgq/worker/held_lease.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace pgq::detail {

/// How many batches a worker has in hand, and how many jobs these have. Each batch takes one slot of the executor.
struct batch_counts {
    std::atomic<std::uint32_t> batches{0};
    std::atomic<std::uint32_t> jobs{0};

    /// How many of these jobs take no slot of their own.
    std::uint32_t extra_slots() const noexcept {
        const std::uint32_t n = batches.load(), all = jobs.load();
        return all > n ? all - n : 0;
    }
};

/// Jobs of one lease for one call of a handler. Once it is counted it is in hand until it is destroyed.
class job_batch {
public:
    job_batch(void* its_runner, held_lease& its_slot) noexcept : runner{its_runner}, slot{&its_slot} {}
    job_batch(const job_batch&) = delete;
    job_batch& operator=(const job_batch&) = delete;
    ~job_batch() {
        if (counts_ == nullptr) return;
        counts_->jobs.fetch_sub(counted_);
        counts_->batches.fetch_sub(1);
    }

    void count(batch_counts& counts) noexcept {
        counts_ = &counts;
        counted_ = static_cast<std::uint32_t>(positions.size());
        counts.batches.fetch_add(1);
        counts.jobs.fetch_add(counted_);
    }

    void* runner;
    held_lease* slot;
    std::vector<std::uint32_t> positions{};

private:
    batch_counts* counts_ = nullptr;
    std::uint32_t counted_ = 0;
};

}  // namespace pgq::detail
