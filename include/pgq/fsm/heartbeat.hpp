#pragma once

#include <pgq/fsm/reconnect.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>

namespace pgq::fsm {

/// What follows a heartbeat, and how long to rest before the next one.
struct heartbeat_action {
    bool declare_lost = false;      ///< report to the worker that its leases are lost, once for each registration
    bool jobs_to_stop = false;      ///< report to the worker that jobs of it should stop
    bool rescue = false;            ///< give the jobs of dead workers back
    bool expire_and_purge = false;  ///< end jobs that have expired, delete records that nobody needs
    duration rest{};
};

/// When a worker beats, and when it counts as dead. Three beats in each lease time.
///
///     answered(): alive ------> rest a third of the lease time
///                 compacted --> for one lease time rest a thirtieth of it: each beat writes some dead rows away, and a
///                               fast queue leaves a million of them in a few seconds
///                 not alive --> the worker is lost
///     failed():   ------------> rest as before any new connection, a sixth of the lease time at most
///     lost_at():  four fifths of the lease time since the last good beat --> the worker is lost: its lease ends before
///                               the next beat can succeed. No call and no rest lasts longer than until then, also if
///                               the server is silent.
class heartbeat {
public:
    heartbeat(duration lease_time, steady_time now) noexcept : lease_time_{lease_time}, last_good_{now} {}

    duration first_rest() const noexcept { return lease_time_ / 3; }

    /// The worker has registered again, under another id. It asked for that at `asked_at`.
    void registered(steady_time asked_at) noexcept { last_good_ = asked_at; }
    /// When the worker counts as lost, unless a beat succeeds before.
    steady_time lost_at() const noexcept { return last_good_ + longest_silence(); }
    /// Before each beat: whether to report now that the worker is lost.
    bool is_overdue(worker_id worker, steady_time now) noexcept { return now >= lost_at() && is_first_loss(worker); }
    /// When the calls end that begin now. A worker that is lost may soon have another id, which must beat in time.
    steady_time calls_end(worker_id worker, steady_time now) const noexcept {
        return lost_ == worker ? now + longest_silence() : lost_at();
    }

    /// The beat of `worker`, sent at `sent`, was answered.
    heartbeat_action answered(worker_id worker, const beat_reply& reply, steady_time sent) noexcept {
        retry_.succeeded();
        if (reply.compacted) brisk_until_ = sent + lease_time_;
        if (reply.alive) last_good_ = sent;
        heartbeat_action a{.declare_lost = !reply.alive && is_first_loss(worker),
                           .jobs_to_stop = reply.jobs_to_stop,
                           .rescue = reply.rescue_needed,
                           .expire_and_purge = sent >= next_purge_,
                           .rest = lease_time_ / (sent < brisk_until_ ? 30 : 3)};
        // Records whose time is over cost nothing but space, so this need not be often.
        if (a.expire_and_purge) next_purge_ = sent + std::chrono::minutes{1};
        return a;
    }
    /// A rescue was answered. It takes a portion of what the dead have left, so the next beat comes soon if it has
    /// found something.
    duration rest_after_rescue(const rescue_reply& rescued, duration rest) const noexcept {
        return rescued.returned + rescued.held > 0 ? std::min<duration>(rest, lease_time_ / 30) : rest;
    }
    /// It failed, or could not be sent. `unit_random`: from 0 to 1.
    heartbeat_action failed(worker_id worker, double unit_random, steady_time now) noexcept {
        heartbeat_action a{.declare_lost = is_overdue(worker, now),
                           .rest = std::min<duration>(retry_.failed(unit_random), lease_time_ / 6)};
        if (lost_ != worker) a.rest = std::min<duration>(a.rest, lost_at() - now);
        return a;
    }

private:
    duration longest_silence() const noexcept { return lease_time_ * 4 / 5; }
    bool is_first_loss(worker_id worker) noexcept {
        const bool first = lost_ != worker;
        lost_ = worker;
        return first;
    }

    duration lease_time_;
    steady_time last_good_;
    steady_time next_purge_{};
    steady_time brisk_until_{};
    worker_id lost_{};
    reconnect retry_{};
};

}  // namespace pgq::fsm
