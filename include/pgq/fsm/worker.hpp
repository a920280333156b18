#pragma once

#include <pgq/fsm/claim_schedule.hpp>
#include <pgq/fsm/connection.hpp>
#include <pgq/fsm/deferred_schedule.hpp>
#include <pgq/fsm/peer_wakes.hpp>
#include <pgq/fsm/prefetch_window.hpp>
#include <pgq/fsm/shutdown.hpp>
#include <pgq/fsm/worker_action.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace pgq::fsm {

/// Decides what a worker does next, without I/O and without a clock. It begins connected and registered.
///
///     next():  no connection, or leases not compared ----> connect, register_worker, compare_leases, give_back,
///                                                          refresh_leases; without a connection: pause
///              acknowledgements due ---------------------> sync (acknowledge; claim, too, if there is room)
///              limit, and not drained --------------------> sync (claim)
///              drained, not asleep ----------------------> sync (subscribe to wake-ups, claim once more)
///              asleep -----------------------------------> wait: until notified, poll time, or a deferred job is due
///              asleep, but no room any more -------------> sync (unsubscribe from wake-ups, wake a peer)
///              until::drained, and drained --------------> count_deferred
///              stopping ---------------------------------> see shutdown
///
///     synced():  fewer jobs than asked, a full scan --> drained
///                   fewer jobs, behind the cursors ------> a full scan next; or drained until a scan is affordable
///                   as many jobs as asked ---------------> wake a peer: there may be more
///
/// Asleep: subscribed to wake-ups. A worker stays asleep while it runs the jobs that it was woken for, as long as it
/// has room for more: so programs that enqueue continue to wake it. Room: how many jobs it may claim now. In hand:
/// claimed, and not finished. Drained: a claim has found no more jobs.
///
/// Its parts: `connection` (is there a session, which leases are ours), `claim_schedule` (is there something to claim),
/// `deferred_schedule` (when is a deferred job due), `prefetch_window` (how many jobs to hold), `peer_wakes` (when to
/// wake another worker), `shutdown`.
class worker {
public:
    explicit worker(const worker_options& o) noexcept
        : options_{o},
          window_{o.window},
          claims_{o},
          deferred_{o.scan_every},
          connection_{o.lease_time},
          shutdown_{o.grace},
          slots_{o.window.slots} {}

    worker_action next(steady_time now) noexcept {
        next_at_ = now;
        if (!connection_.is_open() && now >= shutdown_.give_up_at()) return {.what = worker_do::stop};
        if (const auto step = connection_.next(now)) return {.what = *step};
        const auto a = shutdown_.has_begun() ? next_while_stopping(now) : next_while_running(now);
        return connection_.is_open() ? wait_until_check(a, now) : without_connection(a, now);
    }

    /// The sync succeeded; it claimed `n` jobs of lanes without limits, and made jobs ready that the cursors may hide
    /// (`hidden`). `due`: how long until the next deferred job is due.
    void synced(const worker_action& did, std::uint32_t n, bool hidden, std::optional<duration> due,
                steady_time now) noexcept {
        unacknowledged_ = 0;
        failures_ = 0;
        connection_.worked(now);
        if (did.subscribe_wakes) asleep_ = true;
        if (did.unsubscribe_wakes) asleep_ = false;
        peers_.synced(did.wake_peer, now);
        if (did.peek_next_due) deferred_.peeked(due, now);
        else if (did.promote) deferred_.promoted(now);
        if (hidden) claims_.scan_again();
        if (did.limit == 0) return;
        window_.claimed(n, did.limit, now);
        claim_was_full_ = n == did.limit;
        claims_.claimed(did.from_start, n, claim_was_full_, was_notified_, now - std::max(next_at_, ran_at_), now);
        if (claim_was_full_) peers_.request(now);
    }
    /// Each sync may also claim from limited lanes, beyond `limit`; it brought `n` of their jobs. `again`: after how
    /// long another claim may bring more. `peer_can_claim`: a peer could claim some at once.
    void claimed_limited(std::uint32_t n, std::optional<duration> again, bool peer_can_claim,
                         steady_time now) noexcept {
        if (n != 0) window_.claimed_limited(n, now);
        got_limited_ = n != 0;
        if (again) claim_limited_at_ = now + std::clamp<duration>(*again, shortest_wait, std::chrono::hours{24});
        else claim_limited_at_.reset();
        if (peer_can_claim) peers_.leave_limited(now);
    }
    /// How many workers there are, this one among them.
    void set_worker_count(std::int64_t workers) noexcept { claims_.set_worker_count(workers); }
    /// The payloads of the `n` jobs that were claimed have so many bytes together.
    void claimed_bytes(std::size_t bytes, std::uint32_t n) noexcept { window_.claimed_bytes(bytes, n); }

    /// The server refused the sync: nothing was acknowledged or claimed. The worker pauses before the next one.
    void failed(const worker_action& did, steady_time now) noexcept {
        if (did.limit > 0) window_.halve();
        failures_ = std::min(failures_ + 1, 10);
        retry_at_ = now + std::min<duration>(std::chrono::milliseconds{10} * (1 << failures_), longest_retry_delay);
    }

    /// `n` jobs have run in the loop's own thread, while it waited for the answer to a sync; the last one ended at
    /// `when`. finished() follows for the same jobs when the answer has come.
    void ran(std::uint32_t n, steady_time when) noexcept {
        if (n == 0) return;
        window_.finished(n, when);
        ran_ += n;
        ran_at_ = when;
    }
    /// `n` jobs have finished, the last one at `when`.
    void finished(std::uint32_t n, steady_time when) noexcept {
        if (n == 0) return;
        const std::uint32_t counted = std::min(n, ran_);  // by ran()
        ran_ -= counted;
        if (n != counted) window_.finished(n - counted, when);
        if (unacknowledged_ == 0) acknowledge_at_ = when + options_.flush_after;
        unacknowledged_ += n;
        if (in_hand() == 0) claims_.all_ran(got_limited_);
    }
    /// Jobs of this worker are claimable again at once. `behind_cursor`: a claim behind its cursors finds them.
    void claim_again() noexcept { claims_.claim_again(); }
    void scan_again() noexcept { claims_.scan_again(); }
    /// A job of this worker was deferred for `delay`.
    void deferred_for(duration delay, steady_time now) noexcept { deferred_.deferred_for(delay, now); }
    /// Whether jobs in hand wait for jobs that take long: the caller gives those that have not started back, and calls
    /// dropped().
    bool should_give_back(steady_time now) noexcept {
        window_.finished(0, now);
        return !stopping() && window_.holds_too_many(now);
    }
    /// Nothing is claimed until a call with false.
    void hold_claims(bool hold) noexcept { claims_held_ = hold; }
    /// All lanes are limited, and until a job of this worker ends it may claim nothing from them.
    void set_limited_full(bool full) noexcept { limited_full_ = full; }
    /// `n` of the jobs in hand occupy no thread: they wait for others of their strand or batch, or a spare thread works
    /// in place of theirs. So the worker may hold `n` jobs more.
    void set_extra_slots(std::uint32_t n) noexcept {
        const std::uint32_t slots = options_.window.slots + n;
        const std::uint32_t idle = slots - std::min(slots, in_hand());
        // Scan only if there are more idle slots, too: an extra slot for a job that was just claimed is in use already.
        if (slots > slots_ && idle > idle_slots_) claims_.scan_again();
        slots_ = slots;
        idle_slots_ = idle;
        window_.set_extra_slots(n);
    }
    /// `n` jobs have left the worker without having run.
    void dropped(std::uint32_t n) noexcept { window_.dropped(n); }
    /// There is something to acknowledge that must not wait for other jobs.
    void flush_requested(steady_time now) noexcept {
        unacknowledged_ = std::max(unacknowledged_, 1u);
        acknowledge_at_ = now;
    }

    /// A notification came.
    void notified() noexcept {
        if (!asleep_) return;
        claims_.claim_again();
        notified_ = true;
    }
    /// The reply to count_deferred: so many jobs are deferred or ready. None: the worker stops.
    void deferred_counted(std::int64_t n, steady_time now) noexcept {
        if (n <= 0) return shutdown_.begin(now);
        counted_at_ = now;
    }
    void stop_requested(steady_time now) noexcept {
        if (!stopping()) shutdown_.begin(now);
    }

    /// The worker was declared dead, or has another session: it is not subscribed to wake-ups, and must scan all lanes.
    void start_over() noexcept {
        asleep_ = false;
        deferred_.forget();
        claims_.scan_again();
    }
    /// The events of the connection (connected, broke, registered ...) go to this part.
    connection& connection_state() noexcept { return connection_; }

    /// How many jobs are claimed and not finished.
    std::uint32_t in_hand() const noexcept { return window_.in_hand(); }
    /// How many jobs of limited lanes to claim beyond those that can start at once. They start within 2 ms, so they
    /// hardly keep other workers from starting jobs.
    std::uint32_t limited_prefetch() const noexcept { return window_.within(soon); }
    bool stopping() const noexcept { return shutdown_.has_begun(); }
    /// The loop ends its wait and calls next() when this number of further jobs has finished: all jobs in hand if the
    /// worker is drained, else as many as make room for the next claim.
    std::uint32_t wake_threshold() const noexcept {
        if (claims_.is_drained() || in_hand() == 0) return std::max(in_hand(), 1u);
        const std::uint32_t half = window_.target() / 2;
        return in_hand() > half ? std::max(1u, in_hand() - std::max(half, slots_ - 1)) : 1;
    }

private:
    static constexpr duration shortest_wait = std::chrono::milliseconds{1};
    static constexpr duration longest_retry_delay = std::chrono::seconds{5};
    static constexpr duration soon = std::chrono::milliseconds{2};
    static constexpr duration count_every = std::chrono::milliseconds{50};

    worker_action next_while_running(steady_time now) noexcept {
        if (now < retry_at_) return {.what = worker_do::wait, .timeout = retry_at_ - now};
        const bool due = deferred_.due(now);
        claims_.update(due, now);
        if (claim_limited_at_ && now >= *claim_limited_at_) {
            claim_limited_at_.reset();
            return sync({.wake_peer = peers_.wanted()});
        }
        if (claims_.must_poll(now)) return poll(now);
        const std::uint32_t limit = claim_size();
        if (limit == 0 && asleep_) {
            return sync({.promote = due,
                         .peek_next_due = due,
                         .unsubscribe_wakes = true,
                         .wake_peer = peers_.wanted() || notified_});
        }
        if (limit > 0 && !claims_.is_drained()) return claim(limit, due, now);
        if (peers_.must_sync(now)) return sync({});
        if (due) return sync({.promote = true, .peek_next_due = true, .wake_peer = true});
        if (limit > 0 && !asleep_ && !claims_.ends_when_drained()) {
            return sync({.limit = limit,
                         .from_start = claims_.scans_before_sleep(now),
                         .peek_next_due = true,
                         .subscribe_wakes = true});
        }
        if (unacknowledged_ > 0 && (now >= acknowledge_at_ || in_hand() == 0))
            return sync({.peek_next_due = deferred_.peek_with_sync(now)});
        if (deferred_.must_peek(now) || (deferred_.peek_with_sync(now) && in_hand() == 0))
            return sync({.peek_next_due = true});
        if (claims_.ends_when_drained() && claims_.is_drained() && in_hand() == 0 && !claim_limited_at_ &&
            !deferred_.due_soon(now))
            return next_when_idle(now);
        return {.what = worker_do::wait, .timeout = time_to_wait(now)};
    }

    worker_action claim(std::uint32_t limit, bool due, steady_time now) noexcept {
        const bool start = claims_.scan_due(asleep_, now);
        // A worker that was woken claims at once. A later sync peeks: perhaps it was woken for a deferred job.
        const bool hurry = asleep_ && notified_ && !due;
        if (hurry) deferred_.postpone_peek(soon, now);
        return sync({.limit = limit,
                     .from_start = start,
                     .promote = due,
                     .peek_next_due = !hurry && (due || deferred_.peek_with_sync(now) ||
                                                 (start && claims_.ends_when_drained()) || deferred_.may_peek(now)),
                     .unsubscribe_wakes = asleep_ && claim_was_full_,
                     .wake_peer = peers_.wanted()});
    }

    worker_action sync(worker_action a) noexcept {
        a.what = worker_do::sync;
        was_notified_ = std::exchange(notified_, false);
        return a;
    }

    // No notification came for a whole poll interval: one round trip looks for ready jobs, and when the next deferred
    // job is due.
    worker_action poll(steady_time now) noexcept {
        claims_.polled(now);
        const std::uint32_t limit = claim_size();
        return sync({.limit = limit, .from_start = limit != 0, .peek_next_due = true});
    }

    // For run_until::empty and run_until::drained, when no job is ready or in hand: scans once more, counts, or stops.
    worker_action next_when_idle(steady_time now) noexcept {
        if (claims_.ran_since_drained()) return claims_.scan_again(), sync({.limit = claim_size(), .from_start = true});
        if (options_.until == run_until::empty) return shutdown_.begin(now), next_while_stopping(now);
        const duration since = now - counted_at_;
        if (since < count_every) return {.what = worker_do::wait, .timeout = count_every - since};
        claims_.claim_again();
        return {.what = worker_do::count_deferred};
    }

    worker_action next_while_stopping(steady_time now) noexcept {
        const steady_time last_sync_at = shutdown_.last_sync_at();
        if (now < std::min(retry_at_, last_sync_at))
            return {.what = worker_do::wait, .timeout = std::min(retry_at_, last_sync_at) - now};
        const bool due = now >= std::min(acknowledge_at_, shutdown_.grace_ends()) || in_hand() == 0;
        if (unacknowledged_ > 0 && now < last_sync_at && due) return sync({.unsubscribe_wakes = asleep_});
        return shutdown_.next(in_hand(), unacknowledged_ > 0 ? acknowledge_at_ : steady_time::max(), now);
    }

    // A wait ends when it is time to compare the leases.
    worker_action wait_until_check(worker_action a, steady_time now) const noexcept {
        const duration left = connection_.next_at() - now;
        if (a.what == worker_do::wait && left < a.timeout) a.timeout = std::max(left, shortest_wait);
        return a;
    }
    // Without a connection, a pause replaces a wait and each action that needs the connection.
    worker_action without_connection(worker_action a, steady_time now) const noexcept {
        if (a.what == worker_do::sync || a.what == worker_do::count_deferred)
            a = {.what = worker_do::wait, .timeout = std::chrono::seconds{1}};
        if (a.what != worker_do::wait) return a;
        const steady_time next = std::min(connection_.next_at(), shutdown_.give_up_at());
        const duration left = std::min<duration>(a.timeout, next - now);
        return {.what = worker_do::pause, .timeout = std::max(left, shortest_wait)};
    }

    // How many jobs to claim now. 0 while all slots are in use and more than half of the target is in hand: then a
    // claim is not worth a round trip.
    std::uint32_t claim_size() const noexcept {
        if (claims_held_ || limited_full_) return 0;
        const std::uint32_t held = in_hand();
        const std::uint32_t half = window_.target() / 2;
        if (held >= slots_ && held > half) return 0;
        return options_.overlap ? std::min(window_.room(), std::max(half, slots_)) : window_.room();
    }

    duration time_to_wait(steady_time now) const noexcept {
        duration left = claims_.until(deferred_.until(options_.poll_interval, now), now);
        left = peers_.until(left, now);
        if (claim_limited_at_) left = std::min<duration>(left, *claim_limited_at_ - now);
        if (unacknowledged_ > 0) left = std::min<duration>(left, acknowledge_at_ - now);
        if (in_hand() > slots_ && !window_.holds_too_many(now))
            left = std::min<duration>(left, window_.holds_too_many_at() - now);
        return std::max(left, duration{std::chrono::microseconds{100}});
    }

    worker_options options_;
    prefetch_window window_;
    claim_schedule claims_;
    deferred_schedule deferred_;
    connection connection_;
    shutdown shutdown_;
    peer_wakes peers_{};
    std::uint32_t slots_;                          // how many jobs may run at once, plus the extra slots
    std::uint32_t idle_slots_ = 0;                 // at the latest set_extra_slots()
    bool claims_held_ = false;                     // a job in quarantine waits or runs
    bool asleep_ = false;                          // subscribed to wake-ups
    bool notified_ = false;                        // a notification came since the latest sync
    bool was_notified_ = false;                    // one came before the latest sync: that sync answers it
    bool got_limited_ = false;                     // the latest sync claimed jobs of limited lanes
    bool claim_was_full_ = false;                  // the latest claim brought as many jobs as it asked for
    bool limited_full_ = false;                    // see set_limited_full()
    std::uint32_t unacknowledged_ = 0;             // jobs that have finished since the latest sync
    std::uint32_t ran_ = 0;                        // jobs for which ran() was called and finished() not yet
    int failures_ = 0;                             // syncs in a row that the server refused
    steady_time acknowledge_at_{};                 // when to acknowledge them, at the latest
    steady_time next_at_{};                        // when next() was called last
    steady_time ran_at_{};                         // when the latest job of ran() ended
    steady_time counted_at_{};                     // when deferred jobs were counted last
    steady_time retry_at_{};                       // after a refused sync: when to send the next one
    std::optional<steady_time> claim_limited_at_;  // when to claim from limited lanes again
};

}  // namespace pgq::fsm
