#pragma once

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <limits>

namespace pgq::fsm {

struct reconnect_options {
    duration first = std::chrono::milliseconds{100};  ///< at least 1 ms, or a broken address keeps a core busy
    duration last = std::chrono::seconds{10};         ///< at least `first`
};

/// How long to wait before connecting again.
///
///     failed():     first --x2--> 2 first --x2--> 4 first ... last --> last   (the step)
///     succeeded():  <-------------------- back to first
///
/// The wait is a random moment in the second half of the step: many workers that lost one server do not return at
/// once, and none returns much too early.
class reconnect {
public:
    explicit reconnect(reconnect_options options = {}) noexcept
        : first_{std::max<duration>(options.first, std::chrono::milliseconds{1})},
          last_{std::max(options.last, first_)} {}

    /// The connection was lost or could not be made: how long to wait. `unit_random` is from 0 (half the step) to 1
    /// (all of it).
    duration failed(double unit_random) noexcept {
        const duration half = step_ / 2;
        const double share = unit_random > 0 ? std::min(unit_random, 1.0) : 0.0;
        const duration more{static_cast<duration::rep>(static_cast<double>((step_ - half).count()) * share)};
        const duration wait = std::min(half + more, step_);
        step_ = step_ > last_ / 2 ? last_ : step_ * 2;
        if (tries_ != std::numeric_limits<int>::max()) ++tries_;
        return wait;
    }

    void succeeded() noexcept {
        step_ = first_;
        tries_ = 0;
    }

    /// How often it has failed since it last succeeded.
    int tries() const noexcept { return tries_; }

private:
    duration first_;
    duration last_;
    duration step_ = first_;
    int tries_ = 0;
};

}  // namespace pgq::fsm
