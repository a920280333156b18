#pragma once

#include <pgq/job/id.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

namespace pgq::detail {

/// Which lanes a worker of many queue names claims from: only those that have jobs as far as it knows, and each name in
/// its turn.
///
///     [idle] -- found --> [light] -- a full claim brought none of its jobs, or mostly its jobs --> [busy]
///       ^                    |                                                                       |
///       +----- short --------+---------------------------------- short ------------------------------+
///
/// A claim from light names takes up to sixteen of them together: if it is short, all are empty, and none had to wait
/// for another. If it is full, a name with many jobs may have displaced others. These and that one are busy now: a busy
/// name has a claim of its own. Claims of light and of busy names alternate, so a busy name delays a new one by one
/// claim. A name whose jobs a short claim has not found, because they came later, is found by the next search.
class lane_rotation {
public:
    /// How long a name may be claimed behind its cursors.
    static constexpr duration scan_every = std::chrono::milliseconds{250};
    /// How many lanes one claim of light names reads at most, unless one name has more.
    static constexpr std::size_t most_lanes = 16;

    /// There may be jobs in this lane of this name. Names are small numbers.
    void found(std::size_t name, const claim_lane& lane) {
        if (name >= names_.size()) names_.resize(name + 1);
        auto& n = names_[name];
        const auto same = [&](const claim_lane& l) { return l.lane == lane.lane; };
        if (std::none_of(n.lanes.begin(), n.lanes.end(), same)) n.lanes.push_back(lane);
        if (n.is != state::idle) return;
        n.is = state::light;
        light_.push_back(name);
    }
    /// Jobs before the cursors may be claimable.
    void scan(std::size_t name) noexcept {
        if (name < names_.size()) names_[name].scanned_at = {};
    }
    void scan_all() noexcept {
        for (auto& n : names_) n.scanned_at = {};
    }

    /// The lanes of the next claim; none if no name has jobs. A claim that was not answered counts as not made.
    std::span<const claim_lane> next(steady_time now) {
        put_back();
        wanted_.clear();
        const bool busy = !busy_.empty() && (light_.empty() || !was_busy_);
        was_busy_ = busy;
        auto& from = busy ? busy_ : light_;
        while (!from.empty() && (turn_.empty() || (!busy && wanted_.size() + 1 <= most_lanes))) {
            auto& n = names_[from.front()];
            if (!turn_.empty() && wanted_.size() + n.lanes.size() > most_lanes) break;
            turn_.push_back(from.front());
            from.pop_front();
            begin(n, now);
        }
        return wanted_;
    }
    /// The claim has brought these leases. `full`: as many jobs as it asked for, or there are more.
    void claimed(bool full, std::span<const claimed_lease> leases) {
        std::size_t all = 0;
        for (const auto& lease : leases) all += lease.jobs.size();
        for (const std::size_t name : turn_) {
            auto& n = names_[name];
            const std::size_t got = advance(n, leases);
            if (full) enter(name, got == 0 || 2 * got >= all ? state::busy : state::light);
            else if (n.lanes.size() == n.asked) forget(n);
            else n.scanned_at = {}, enter(name, state::light);
        }
        turn_.clear();
    }
    /// The connection is another one: nothing is known of what the last claim did.
    void start_over() {
        put_back();
        scan_all();
    }
    /// Whether no name has jobs, as far as is known.
    bool empty() const noexcept { return light_.empty() && busy_.empty() && turn_.empty(); }

private:
    enum class state : std::uint8_t { idle, light, busy };
    struct name_state {
        state is = state::idle;
        std::size_t asked = 0;  // so many lanes are in the claim that is under way
        steady_time scanned_at{};
        std::vector<claim_lane> lanes{};
    };

    void begin(name_state& n, steady_time now) {
        const bool from_start = n.scanned_at == steady_time{} || now - n.scanned_at >= scan_every;
        if (from_start) n.scanned_at = now;
        n.asked = n.lanes.size();
        for (auto& l : n.lanes) {
            if (from_start) l.cursor = {};
            l.exact = from_start;
            wanted_.push_back(l);
        }
    }
    // Returns how many of its jobs were claimed.
    static std::size_t advance(name_state& n, std::span<const claimed_lease> leases) {
        std::size_t got = 0;
        for (auto& l : n.lanes)
            for (const auto& lease : leases)
                if (lease.lane == l.lane) {
                    l.cursor = std::max(l.cursor, claim_cursor{lease.jobs.back().rank, lease.jobs.back().id});
                    got += lease.jobs.size();
                }
        return got;
    }
    void enter(std::size_t name, state s) {
        names_[name].is = s;
        (s == state::busy ? busy_ : light_).push_back(name);
    }
    static void forget(name_state& n) noexcept {
        n.is = state::idle;
        n.scanned_at = {};
        n.lanes.clear();
    }
    void put_back() {
        for (; !turn_.empty(); turn_.pop_back()) {
            auto& n = names_[turn_.back()];
            n.scanned_at = {};
            (n.is == state::busy ? busy_ : light_).push_front(turn_.back());
        }
    }

    std::vector<name_state> names_{};
    std::deque<std::size_t> light_{};
    std::deque<std::size_t> busy_{};
    std::vector<std::size_t> turn_{};  // the names of the claim that is under way
    std::vector<claim_lane> wanted_{};
    bool was_busy_ = false;
};

}  // namespace pgq::detail
