#pragma once

#include <pgq/compose/lease_slot.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace pgq::detail {

/// How many batches a worker has in hand, and the jobs of them all. Each takes one place of the executor.
struct batch_counts {
    std::atomic<std::uint32_t> batches{0};
    std::atomic<std::uint32_t> jobs{0};

    std::uint32_t beside() const noexcept {
        const std::uint32_t n = batches.load(), all = jobs.load();
        return all > n ? all - n : 0;
    }
};

/// Jobs of one lease on their way into one call of a handler. Once it is counted it is in hand until it is destroyed.
class gathered {
public:
    gathered(void* its_runner, lease_slot& its_slot) noexcept : runner{its_runner}, slot{&its_slot} {}
    gathered(const gathered&) = delete;
    gathered& operator=(const gathered&) = delete;
    ~gathered() {
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
    lease_slot* slot;
    std::vector<std::uint32_t> positions{};

private:
    batch_counts* counts_ = nullptr;
    std::uint32_t counted_ = 0;
};

}  // namespace pgq::detail
