#pragma once

#include <pgq/protocol/record.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/worker/completion_queue.hpp>
#include <pgq/worker/held_lease.hpp>
#include <pgq/worker/job_counters.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace pgq::detail {

/// Counts ends of jobs that the database has recorded. Jobs of one enqueue time are counted in one step. Nearly always
/// all jobs of a lease end plainly and in one request: then nothing is looked up for each.
class counted_outcomes {
public:
    /// What the latest request showed of this lease; before held_lease::acknowledged().
    void count(const held_lease& s) {
        if (s.counters == nullptr) return;
        if (s.counted.empty() && s.items.empty() && bits_of(s.mask) - bits_of(s.left) == s.lease.jobs.size())
            return count_whole(s);
        find_kinds(s);
        std::uint64_t done = 0;
        first_attempts first{*s.counters, s.lease.claimed_at};
        for (const job_record& j : s.lease.jobs) {
            if (!held_lease::is_set(s.mask, j.index) || held_lease::is_set(s.left, j.index)) continue;
            if (!s.counted.empty() && held_lease::is_set(s.counted, j.index)) continue;
            if (kinds_.empty() || kinds_[j.index] == settle_kind::done) ++done;
            else if (!count_other(s, j, kinds_[j.index])) continue;
            if (j.attempt == 1) first.add(j.enqueued_at);
        }
        if (done != 0) s.counters->done.add(done);
    }
    /// An attempt is over. Its outcome counts only if the handler's thread has ended the lease by itself.
    static void count_end(const held_lease& s, std::uint32_t position, const job_result& what) {
        if (s.counters == nullptr) return;
        if (what.ran >= duration{}) s.counters->ran(what.ran);
        if (!what.settled_by_handler || !what.gone) return;
        (what.kind == settle_kind::done ? s.counters->done : s.counters->discarded).add(1);
        const job_record& j = s.lease.jobs[position];
        if (j.attempt == 1) s.counters->began(j.enqueued_at, s.lease.claimed_at, 1);
    }

private:
    static void count_whole(const held_lease& s) {
        s.counters->done.add(s.lease.jobs.size());
        first_attempts first{*s.counters, s.lease.claimed_at};
        for (const job_record& j : s.lease.jobs)
            if (j.attempt == 1) first.add(j.enqueued_at);
    }
    // `mask` of a request has the bits of `left`, too.
    static std::size_t bits_of(const std::string& mask) noexcept {
        std::size_t n = 0, at = 0;
        for (std::uint64_t eight = 0; at + sizeof eight <= mask.size(); at += sizeof eight) {
            std::memcpy(&eight, mask.data() + at, sizeof eight);
            n += static_cast<std::size_t>(std::popcount(eight));
        }
        for (; at < mask.size(); ++at)
            n += static_cast<std::size_t>(std::popcount(static_cast<unsigned char>(mask[at])));
        return n;
    }

    class first_attempts {
    public:
        first_attempts(lane_counters& to, time_point claimed_at) : to_{&to}, claimed_at_{claimed_at} {}
        ~first_attempts() { flush(); }
        first_attempts(const first_attempts&) = delete;
        first_attempts& operator=(const first_attempts&) = delete;
        void add(time_point enqueued_at) noexcept {
            if (enqueued_at != enqueued_at_) flush(), enqueued_at_ = enqueued_at;
            ++jobs_;
        }

    private:
        void flush() noexcept {
            if (jobs_ != 0) to_->began(enqueued_at_, claimed_at_, jobs_);
            jobs_ = 0;
        }

        lane_counters* to_;
        time_point claimed_at_, enqueued_at_{};
        std::uint32_t jobs_ = 0;
    };

    // By index; empty if all are done.
    void find_kinds(const held_lease& s) {
        kinds_.clear();
        if (s.items.empty()) return;
        kinds_.assign(s.mask.size() * 8, settle_kind::done);
        for (const settlement& i : s.items) kinds_[i.index] = i.kind;
    }
    // False if the job has neither had an attempt nor ended. The database decides in the same way: its flags are those
    // that the worker knows, else the lease would have moved. What expires is counted there.
    static bool count_other(const held_lease& s, const job_record& j, settle_kind kind) noexcept {
        const bool goes_back =
            kind == settle_kind::retry || kind == settle_kind::release || kind == settle_kind::expire;
        if (goes_back && s.has_flag(j.index, flag_stop)) return s.counters->cancelled.add(1), true;
        switch (kind) {
        case settle_kind::retry: return s.counters->retried.add(1), true;
        case settle_kind::hold: return s.counters->held.add(1), true;
        case settle_kind::discard: return s.counters->discarded.add(1), true;
        default: return false;
        }
    }

    std::vector<settle_kind> kinds_{};
};

}  // namespace pgq::detail
