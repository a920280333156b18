#pragma once

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace pgq::fsm {

/// When a worker looks from the start of its lanes, and when behind its floors. The start is where jobs are that came late or went back; and
/// where somebody holds an old snapshot it is where the dead entries are, which make each look slow.
class looks {
public:
    /// `every`: how long floors are trusted.
    explicit looks(duration every) noexcept : every_{every} {}

    /// So many workers there are.
    void among(std::int64_t workers) noexcept { workers_ = std::clamp<std::int64_t>(workers, 1, 400); }
    /// A look took so long. One that finds nothing tells what looking costs.
    void looked(duration took, bool found, steady_time now) noexcept {
        looked_ = last_ = now;
        took_ = took;
        if (!found) cost_ = took;
    }
    /// There may be something that floors hide.
    void distrust() noexcept { looked_ = {}; }

    /// Floors are trusted no longer. No more than a twentieth of one worker's time goes into looking, as long as that comes to something.
    /// Of a crowd each needs to look more seldom: what one finds it finds for all.
    bool due(steady_time now) const noexcept { return now >= due_at(); }
    steady_time due_at() const noexcept {
        const duration dear = std::min(std::min(20 * took_, longest) * workers_, longest_of_many);
        return looked_ + std::max<duration>(every_ * std::max<std::int64_t>(workers_ / 4, 1), dear);
    }

    /// Whether a look now, and at the latest when, is no waste of time where floors may do.
    bool affordable(steady_time now) const noexcept { return now >= affordable_at(); }
    steady_time affordable_at() const noexcept { return last_ + std::min<duration>(20 * cost_, longest_put_off); }

private:
    static constexpr duration longest = std::chrono::seconds{5};
    static constexpr duration longest_of_many = std::chrono::seconds{30};
    static constexpr duration longest_put_off = std::chrono::seconds{1};

    duration every_;
    steady_time looked_{};
    steady_time last_{};
    duration took_{};
    duration cost_{};
    std::int64_t workers_ = 1;
};

}  // namespace pgq::fsm
