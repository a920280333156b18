#pragma once

#include <pgq/time/clock.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace pgq::detail {

/// When each handler that runs began. Any thread may begin, end and read, without a lock: a handler occupies a slot. If
/// more handlers than slots run at once, those that find no slot are not measured.
class running_handlers {
    using ticks = steady_time::rep;

public:
    static constexpr std::size_t slots = 1024;

    /// What a handler that runs has, until it calls end(). A default one has no slot.
    class ticket {
    public:
        ticket() = default;
        /// The handler has ended. Calls after the first do nothing.
        void end() noexcept {
            if (slot_ != nullptr) slot_->store(0, std::memory_order_release);
            slot_ = nullptr;
        }

    private:
        friend running_handlers;
        explicit ticket(std::atomic<ticks>* slot) noexcept : slot_{slot} {}

        std::atomic<ticks>* slot_ = nullptr;
    };

    struct found {
        std::uint32_t count = 0;
        std::optional<steady_time> oldest{};
    };

    ticket begin(steady_time now) noexcept {
        const ticks at = now.time_since_epoch().count() | 1;  // 0 marks a free slot
        std::size_t& mine = first_slot();
        for (std::size_t i = 0; i < slots; ++i) {
            auto& slot = began_[(mine + i) % slots];
            ticks free = 0;
            if (slot.load(std::memory_order_relaxed) != 0 ||
                !slot.compare_exchange_strong(free, at, std::memory_order_relaxed))
                continue;
            mine = (mine + i) % slots;
            return ticket{&slot};
        }
        return {};
    }

    found read() const noexcept {
        found all;
        for (const auto& slot : began_) {
            const ticks at = slot.load(std::memory_order_acquire);
            if (at == 0) continue;
            ++all.count;
            const steady_time began{steady_time::duration{at}};
            if (!all.oldest || began < *all.oldest) all.oldest = began;
        }
        return all;
    }

private:
    // Where this thread looks first: threads begin 64 bytes apart, and a thread that runs one handler at a time stays.
    static std::size_t& first_slot() noexcept {
        static std::atomic<std::size_t> threads{0};
        thread_local std::size_t slot = threads.fetch_add(8, std::memory_order_relaxed);
        return slot;
    }

    std::array<std::atomic<ticks>, slots> began_{};
};

}  // namespace pgq::detail
