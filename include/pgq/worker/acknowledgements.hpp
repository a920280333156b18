#pragma once

#include <pgq/error/condition.hpp>
#include <pgq/error/error_info.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/worker/counted_outcomes.hpp>
#include <pgq/worker/held_leases.hpp>
#include <pgq/worker/limited_lanes.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::detail {

/// What a sync acknowledges: which ends of jobs it shows to the database, and what follows when the server refuses
/// them.
///
///     all leases at once -- refused(), and not for a passing reason --> one at a time, without a claim
///             ^                                                           |  refused() again: a hold with the reason
///             |                                                           |  instead of that outcome; not even that
///             +------------- nothing unsettled is left -------------------+  stored: the job stays leased
class acknowledgements {
public:
    /// Chooses what the next sync shows. `claims`: it also claims.
    void fill(held_leases& leases, limited_lanes& limited, bool claims, steady_time now) {
        finished_.clear();
        progressed_.clear();
        for (auto& s : leases) s->in_request = false;
        const bool one = one_at_a_time_ && leases.has_unsettled();
        if (one) fill_one(leases);
        else fill_all(leases, limited, claims, now);
    }
    std::span<const lease_ref> finished() const noexcept { return finished_; }
    std::span<const lease_progress> progressed() const noexcept { return progressed_; }
    bool one_at_a_time() const noexcept { return one_at_a_time_; }
    /// How many jobs stay leased until this worker ends, because no outcome of them can be stored.
    std::int64_t unstored() const noexcept { return unstored_; }

    /// The sync happened. True when it has not found some lease: that was ended by somebody else, or has moved.
    bool applied(held_leases& leases, const sync_reply& reply) {
        bool all_located = true;
        delays_.clear();
        for (auto& s : leases)
            if (s->in_request && !acknowledge(*s, reply)) all_located = false;
        leases.release();
        if (one_at_a_time_ && !leases.has_unsettled()) one_at_a_time_ = false;
        return !all_located;
    }
    /// `stored`: the lease as the database has it. It may have recorded the latest sync, whose answer was lost; or a
    /// crash of the server has undone earlier ones.
    void compare(held_lease& s, const lease_update& stored, steady_time now) {
        if (s.in_request && s.mask == stored.left) record(s, stored.ref.location);
        else s.recover(stored.left, now);
        s.in_request = false;
    }
    /// For how long jobs rest whose deferral the latest sync recorded.
    std::span<const duration> delays() const noexcept { return delays_; }

    /// The server refused the sync; nothing of it happened.
    void refused(held_leases& leases, const error_info& why) {
        const bool passing = why == condition::contention || why == condition::transient;
        if (!passing && one_at_a_time_) replace_refused(leases, why);
        else if (!passing && leases.has_dirty()) one_at_a_time_ = true;
        for (auto& s : leases) s->in_request = false;
    }

private:
    void fill_all(held_leases& leases, limited_lanes& limited, bool claims, steady_time now) {
        for (auto& s : leases) {
            if (!s->dirty || s->lost || s->unlocated) continue;
            const bool whole = s->unfinished == 0 && !s->must_stay;
            // A row is rewritten for some of its jobs only when those have waited, or are not plainly done.
            if (!whole && s->unsettled.empty() && claims && !limited.is_limited(s->lane_index) &&
                now - s->dirty_since < std::chrono::milliseconds{50})
                continue;
            s->in_request = true;
            limited.will_free(s->lane_index);
            s->fill_request(s->unsettled.size(), whole);
            if (whole && s->items.empty() && s->flags.empty() && !s->has_left) finished_.push_back(s->lease.ref);
            else add_progress(*s, whole);
        }
    }

    void fill_one(held_leases& leases) {
        for (auto& s : leases) {
            if (!s->dirty || s->lost || s->unlocated || s->unsettled.empty()) continue;
            s->in_request = true;
            s->fill_request(1, s->ends_with(1));
            add_progress(*s, s->ends_with(1));
            return;
        }
    }

    void add_progress(const held_lease& s, bool last) {
        progressed_.push_back({s.lease.ref, last, s.former_mask(), s.mask, s.items, !s.flags.empty()});
    }

    bool acknowledge(held_lease& s, const sync_reply& reply) {
        s.in_request = false;
        const auto id = s.lease.ref.id;
        if (std::find(reply.lost.begin(), reply.lost.end(), id) != reply.lost.end()) {
            s.unlocated = true;
            return false;
        }
        const auto moved =
            std::find_if(reply.moved.begin(), reply.moved.end(), [&](const lease_ref& m) { return m.id == id; });
        for (const auto& i : s.items)
            if (i.kind != settle_kind::hold && i.delay > duration{}) delays_.push_back(i.delay);
        record(s, moved == reply.moved.end() ? s.lease.ref.location : moved->location);
        return true;
    }

    void record(held_lease& s, std::uint64_t location) {
        outcomes_.count(s);
        s.acknowledged(location);
    }

    void replace_refused(held_leases& leases, const error_info& why) {
        for (auto& s : leases) {
            if (!s->in_request || s->unsettled.empty()) continue;
            auto& p = s->unsettled.front();
            if (p.what.kind == settle_kind::hold && p.what.reason.starts_with(cannot_store)) {
                s->unsettled.erase(s->unsettled.begin());  // not even that: the job stays leased until this worker ends
                s->must_stay = true;
                ++unstored_;
                return;
            }
            p.what = {.gone = false, .kind = settle_kind::hold};
            p.what.reason = std::string{cannot_store} + why.code.message();
            return;
        }
    }

    static constexpr std::string_view cannot_store = "the outcome could not be stored: ";

    bool one_at_a_time_ = false;
    std::int64_t unstored_ = 0;
    std::vector<lease_ref> finished_;
    std::vector<lease_progress> progressed_;
    std::vector<duration> delays_;
    counted_outcomes outcomes_;
};

}  // namespace pgq::detail
