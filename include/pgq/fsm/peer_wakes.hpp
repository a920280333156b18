#pragma once

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <optional>

namespace pgq::fsm {

/// When a worker wakes a sleeping peer, because there are more jobs than it takes itself. It does so once in 5 ms at
/// most: a peer needs that long to wake up, and the peer wakes the next one.
class peer_wakes {
public:
    /// There may be more jobs. The next sync wakes a peer, unless one has woken a peer just before.
    void request(steady_time now) noexcept { wanted_ = wanted_ || now - woken_at_ >= every; }
    /// A claim has left jobs of limited lanes to others. Perhaps no other sync follows soon, so one is made for that.
    void leave_limited(steady_time now) noexcept { limited_at_ = std::max<steady_time>(now, left_at_ + every); }

    /// Whether the next sync wakes a peer of lanes without limits.
    bool wanted() const noexcept { return wanted_; }
    /// Whether a sync must tell peers of limited lanes.
    bool must_sync(steady_time now) const noexcept { return limited_at_ && now >= *limited_at_; }
    /// How long until that changes, at most `left`.
    duration until(duration left, steady_time now) const noexcept {
        return limited_at_ ? std::min<duration>(left, *limited_at_ - now) : left;
    }
    /// A sync succeeded. Each tells peers of the limited lanes; `woke`: it also woke one of the others.
    void synced(bool woke, steady_time now) noexcept {
        if (woke) wanted_ = false, woken_at_ = now;
        if (limited_at_) limited_at_.reset(), left_at_ = now;
    }

private:
    static constexpr duration every = std::chrono::milliseconds{5};

    bool wanted_ = false;
    steady_time woken_at_{};
    steady_time left_at_{};                  // when peers were told of limited lanes last
    std::optional<steady_time> limited_at_;  // when to tell them again
};

}  // namespace pgq::fsm
