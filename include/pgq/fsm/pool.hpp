#pragma once

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace pgq::fsm {

struct pool_settings {
    std::size_t min = 0;
    std::size_t max = 1;
    duration max_idle{};
};

/// What the caller that asked for a session does next.
enum class pool_do : std::uint8_t {
    use,    // the session in this slot has been in use a moment ago
    probe,  // it has been idle for long: see whether it still answers, and open another in its slot if not
    open,   // the slot is empty: open one
    wait,   // none is free: a grant will come, or call gave_up()
};

struct pool_action {
    pool_do what = pool_do::wait;
    std::size_t slot = 0;

    friend bool operator==(const pool_action&, const pool_action&) = default;
};

/// A caller that waited goes on.
struct pool_grant {
    std::uint64_t caller = 0;
    pool_action action{};

    friend bool operator==(const pool_grant&, const pool_grant&) = default;
};

/// A bounded set of sessions that callers borrow. It does nothing itself: it says which slot is whose, and in what
/// order.
///
///              asked: open                  returned
///     (empty) -------------> lent <----------------------- idle
///        ^                   |  ^       asked: use, probe   ^ |
///        |     dropped       |  |                           | |
///        +-------------------+  +-- returned or dropped, ---+ |
///        |                          when somebody waits       |
///        +----------------------------------------------------+
///                              surplus
///
/// First asked, first served: nobody is granted a slot while somebody else waits for longer. The session that came back
/// last is lent first, so that those nobody needs grow old and are closed.
class pool {
public:
    explicit pool(const pool_settings& s) : settings_{s}, slots_(s.max) {}

    pool_action asked(std::uint64_t caller, steady_time now) {
        if (!idle_.empty()) return lend_idle(now);
        if (const auto slot = empty_slot()) return take(*slot, pool_do::open);
        waiting_.push_back(caller);
        return {};
    }

    /// The session is as good as before.
    std::optional<pool_grant> returned(std::size_t slot, steady_time now) {
        if (auto next = first_waiting()) return pool_grant{*next, {pool_do::use, slot}};
        slots_[slot] = {.state = slot_state::idle, .since = now};
        idle_.push_back(slot);
        return std::nullopt;
    }

    /// The session in this slot is gone, or could not be opened.
    std::optional<pool_grant> dropped(std::size_t slot) {
        if (auto next = first_waiting()) return pool_grant{*next, {pool_do::open, slot}};
        slots_[slot] = {};
        return std::nullopt;
    }

    /// The caller does not wait any longer. False: the pool has already granted it a slot, which it must take.
    bool gave_up(std::uint64_t caller) {
        const auto found = std::find(waiting_.begin(), waiting_.end(), caller);
        if (found == waiting_.end()) return false;
        waiting_.erase(found);
        return true;
    }

    /// A session to close: idle for too long, and more than `min` are open. Its slot is empty from now on.
    std::optional<std::size_t> surplus(steady_time now) {
        if (idle_.empty() || open() <= settings_.min || !is_old(idle_.front(), now)) return std::nullopt;
        const std::size_t slot = idle_.front();
        idle_.pop_front();
        slots_[slot] = {};
        return slot;
    }

    /// Sessions that are open, or being opened.
    std::size_t open() const noexcept { return idle() + lent(); }
    std::size_t idle() const noexcept { return idle_.size(); }
    std::size_t lent() const noexcept {
        return static_cast<std::size_t>(std::count_if(slots_.begin(), slots_.end(),
                                                      [](const slot_info& s) { return s.state == slot_state::lent; }));
    }
    std::size_t waiting() const noexcept { return waiting_.size(); }

private:
    enum class slot_state : std::uint8_t { empty, lent, idle };
    struct slot_info {
        slot_state state = slot_state::empty;
        steady_time since{};  // for idle ones
    };

    bool is_old(std::size_t slot, steady_time now) const noexcept {
        return now - slots_[slot].since >= settings_.max_idle;
    }

    pool_action take(std::size_t slot, pool_do how) noexcept {
        slots_[slot] = {.state = slot_state::lent};
        return {how, slot};
    }

    pool_action lend_idle(steady_time now) noexcept {
        const std::size_t slot = idle_.back();
        idle_.pop_back();
        return take(slot, is_old(slot, now) ? pool_do::probe : pool_do::use);
    }

    std::optional<std::size_t> empty_slot() const noexcept {
        for (std::size_t i = 0; i < slots_.size(); ++i)
            if (slots_[i].state == slot_state::empty) return i;
        return std::nullopt;
    }

    std::optional<std::uint64_t> first_waiting() {
        if (waiting_.empty()) return std::nullopt;
        const auto caller = waiting_.front();
        waiting_.pop_front();
        return caller;
    }

    pool_settings settings_;
    std::vector<slot_info> slots_;
    std::deque<std::size_t> idle_;  // the longest idle first
    std::deque<std::uint64_t> waiting_;
};

}  // namespace pgq::fsm
