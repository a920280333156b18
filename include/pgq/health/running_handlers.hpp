#pragma once

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace pgq::detail {

/// Which handlers run, and for how long. Any thread may begin, end and read, without a lock: a handler occupies a slot.
/// If more handlers than slots run at once, those that find no slot are not measured.
///
/// A beginning reads no clock, because each job would pay for that: the first read() that finds a handler notes the
/// time. So the age of a handler is too small by at most the time between two reads.
class running_handlers {
    using ticks = steady_time::rep;

public:
    static constexpr std::size_t slots = 1024;

    /// What a handler that runs has, until it calls end(). A default one has no slot.
    class registration {
    public:
        registration() = default;
        /// The handler has ended. Calls after the first do nothing.
        void end() noexcept {
            if (slot_ == nullptr) return;
            slot_->store(free, std::memory_order_relaxed);
            slot_ = nullptr;
        }

    private:
        friend running_handlers;
        explicit registration(std::atomic<ticks>* slot) noexcept : slot_{slot} {}

        std::atomic<ticks>* slot_ = nullptr;
    };

    struct found {
        std::uint32_t count = 0;
        std::optional<steady_time> oldest{};
    };

    registration begin() noexcept {
        auto& mine = seen_[first_slot % slots];
        return first_slot != 0 && occupy(mine) ? registration{&mine} : begin_elsewhere();
    }

    found read(steady_time now) const noexcept {
        found all;
        for (auto& slot : seen_) {
            const ticks at = seen_at(slot, now);
            if (at == free) continue;
            ++all.count;
            const steady_time seen{steady_time::duration{at}};
            if (!all.oldest || seen < *all.oldest) all.oldest = seen;
        }
        return all;
    }

private:
    // The value of a slot: one of these, or when a read first found its handler.
    static constexpr ticks free = 0;
    static constexpr ticks unseen = 1;

    static bool occupy(std::atomic<ticks>& slot) noexcept {
        ticks was = free;
        return slot.load(std::memory_order_relaxed) == free &&
               slot.compare_exchange_strong(was, unseen, std::memory_order_relaxed);
    }
    registration begin_elsewhere() noexcept {
        static std::atomic<std::size_t> threads{0};
        if (first_slot == 0) first_slot = slots + threads.fetch_add(8, std::memory_order_relaxed) % slots;
        for (std::size_t i = 0; i < slots; ++i) {
            auto& slot = seen_[(first_slot + i) % slots];
            if (!occupy(slot)) continue;
            first_slot = slots + (first_slot + i) % slots;
            return registration{&slot};
        }
        return {};
    }
    static ticks seen_at(std::atomic<ticks>& slot, steady_time now) noexcept {
        ticks at = slot.load(std::memory_order_relaxed);
        if (at != unseen) return at;
        const ticks seen = std::max<ticks>(now.time_since_epoch().count(), unseen + 1);
        if (slot.compare_exchange_strong(at, seen, std::memory_order_relaxed)) return seen;
        return at == unseen ? seen : at;
    }

    // Where this thread looks first, plus `slots`; 0: it has not begun any. Threads begin 64 bytes apart, and a thread
    // that runs one handler at a time stays at its slot.
    static constinit inline thread_local std::size_t first_slot = 0;

    mutable std::array<std::atomic<ticks>, slots> seen_{};
};

}  // namespace pgq::detail
