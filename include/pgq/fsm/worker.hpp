#pragma once

#include <pgq/fsm/claim_schedule.hpp>
#include <pgq/fsm/connection.hpp>
#include <pgq/fsm/deferred_schedule.hpp>
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

/// The life of a worker, without its I/O and without a clock. Begins connected and registered.
///
///     next():  connection not in order -----------------> connect, register_worker, compare_leases, give_back,
///                                                         refresh_leases; without a connection: pause
///              acknowledgements due ---------------------> exchange (acknowledge; claims too if there is room)
///              room, and not drained --------------------> exchange (claim)
///              drained, not asleep ----------------------> exchange (announce sleep, claim once more)
///              asleep -----------------------------------> wait: until notified, poll time, or a deferred job is due
///              asleep, but no room any more -------------> exchange (announce awake, wake a peer)
///              until::drained, and drained --------------> count_deferred
///              stopping ---------------------------------> see shutdown
///
///     exchanged():  less than asked, a full scan --------> drained
///                   less than asked, behind cursors -----> a full scan next; or drained until a scan is affordable
///                   as much as asked --------------------> wake a peer: there may be more
///
/// A worker stays "asleep" while it works on what it was woken for and has room for more: enqueuers go on waking it.
///
/// Its parts: `connection` (is there a session, which leases are ours), `claim_schedule` (is there something to claim),
/// `deferred_schedule` (when is a deferred job due), `prefetch_window` (how many jobs to hold), `shutdown`.
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
        asked_ = now;
        if (!connection_.is_open() && shutdown_.is_hopeless(connection_.closed_since(), now))
            return {.what = worker_do::stop};
        if (const auto step = connection_.next(now)) return {.what = *step};
        const auto a = shutdown_.has_begun() ? wind_down(now) : run(now);
        return connection_.is_open() ? until_check(a, now) : offline(a, now);
    }

    /// The exchange succeeded; it claimed `n` jobs. `due`: how long until the next deferred job.
    void exchanged(const worker_action& did, std::uint32_t n, std::uint32_t promoted, std::optional<duration> due,
                   steady_time now) noexcept {
        unflushed_ = 0;
        failures_ = 0;
        if (did.subscribe_wakes) asleep_ = true;
        if (did.unsubscribe_wakes) asleep_ = false;
        if (did.wake_peer) {
            wake_peer_ = false;
            woke_peer_ = now;
        }
        if (did.peek_next_due) deferred_.peeked(due, now);
        else if (did.promote) deferred_.promoted(now);
        if (promoted != 0) claims_.scan_again();
        if (did.limit == 0) return;
        window_.claimed(n, did.limit, now);
        full_ = n == did.limit;
        claims_.claimed(did.from_start, n, full_, was_notified_, now - std::max(asked_, ran_at_), now);
        if (full_) more_for_peers(now);
    }
    /// Each exchange may also claim from limited lanes, beyond its limit; it brought `n` of their jobs. `again`: after
    /// how long another claim may bring more. `more`: a peer could claim some at once.
    void claimed_limited(std::uint32_t n, std::optional<duration> again, bool more, steady_time now) noexcept {
        if (n != 0) window_.claimed_limited(n, now);
        limited_come_ = n != 0;
        if (again) limited_at_ = now + std::clamp<duration>(*again, shortest_wait, std::chrono::hours{24});
        else limited_at_.reset();
        if (more) more_for_peers(now);
    }
    /// How many workers there are, this one among them.
    void set_worker_count(std::int64_t workers) noexcept { claims_.set_worker_count(workers); }
    void claimed_bytes(std::size_t bytes, std::uint32_t n) noexcept { window_.claimed_bytes(bytes, n); }

    /// The exchange failed though the connection is fine; nothing of it happened.
    void failed(const worker_action& did, steady_time now) noexcept {
        if (did.limit > 0) window_.halve();
        failures_ = std::min(failures_ + 1, 10);
        resting_until_ = now + std::min<duration>(std::chrono::milliseconds{10} * (1 << failures_), longest_rest);
    }

    /// `n` jobs have run in the loop's own thread, the last one until `when`, while an exchange was under way.
    /// finished() follows when the exchange is over.
    void ran(std::uint32_t n, steady_time when) noexcept {
        if (n == 0) return;
        window_.finished(n, when);
        ran_ += n;
        ran_at_ = when;
    }
    /// `n` jobs have finished, the last one at `when`.
    void finished(std::uint32_t n, steady_time when) noexcept {
        if (n == 0) return;
        const std::uint32_t known = std::min(n, ran_);
        ran_ -= known;
        if (n != known) window_.finished(n - known, when);
        if (unflushed_ == 0) flush_at_ = when + options_.flush_after;
        unflushed_ += n;
        if (in_hand() == 0) claims_.all_ran(limited_come_);
    }
    /// Jobs are claimable again at once. `behind_cursor`: the cursors do not hide them.
    void requeued(bool behind_cursor) noexcept {
        if (behind_cursor) claims_.claim_again();
        else claims_.scan_again();
    }
    void deferred_for(duration delay, steady_time now) noexcept { deferred_.deferred_for(delay, now); }
    /// Whether jobs wait behind slow ones: those that have not started should be given back, see dropped().
    bool should_give_back(steady_time now) noexcept {
        window_.finished(0, now);
        return !stopping() && window_.holds_too_many();
    }
    /// `n` of the jobs in hand take no slot: they wait for others of them, or a spare thread runs in place of theirs.
    void set_extra_slots(std::uint32_t n) noexcept {
        const std::uint32_t slots = options_.window.slots + n;
        const std::uint32_t idle = slots - std::min(slots, in_hand());
        if (slots > slots_ && idle > idle_) claims_.scan_again();  // slots of jobs just claimed are not free
        slots_ = slots;
        idle_ = idle;
        window_.set_extra_slots(n);
    }
    /// `n` jobs have left without having run.
    void dropped(std::uint32_t n) noexcept { window_.dropped(n); }
    /// There is something to acknowledge that should not wait for other jobs.
    void flush_requested(steady_time now) noexcept {
        unflushed_ = std::max(unflushed_, 1u);
        flush_at_ = now;
    }

    void notified() noexcept {
        if (!asleep_) return;
        claims_.claim_again();
        notified_ = true;
    }
    /// After count_deferred.
    void deferred_counted(std::int64_t n, steady_time now) noexcept {
        if (n == 0) return shutdown_.begin(now);
        counted_ = now;
    }
    void stop_requested(steady_time now) noexcept {
        if (!stopping()) shutdown_.begin(now);
    }

    /// The worker is unknown, or has another session: nothing is announced, and nothing is known.
    void start_over() noexcept {
        asleep_ = false;
        deferred_.forget();
        claims_.scan_again();
    }
    /// For its events.
    connection& link() noexcept { return connection_; }

    std::uint32_t in_hand() const noexcept { return window_.in_hand(); }
    /// How many jobs of limited lanes may be claimed beyond those that begin at once: they begin within a moment, so no
    /// other worker misses the places that they take.
    std::uint32_t limited_ahead() const noexcept { return window_.within(soon); }
    bool stopping() const noexcept { return shutdown_.has_begun(); }
    /// With so many more jobs finished the loop should return before its wait ends.
    std::uint32_t wake_threshold() const noexcept {
        if (claims_.is_drained() || in_hand() == 0) return std::max(in_hand(), 1u);
        const std::uint32_t half = window_.target() / 2;
        return in_hand() > half ? std::max(1u, in_hand() - std::max(half, slots_ - 1)) : 1;
    }

private:
    static constexpr duration shortest_wait = std::chrono::milliseconds{1};
    static constexpr duration wake_peer_every = std::chrono::milliseconds{5};  // a peer is awake after less
    static constexpr duration longest_rest = std::chrono::seconds{5};
    static constexpr duration soon = std::chrono::milliseconds{2};
    static constexpr duration count_every = std::chrono::milliseconds{50};

    worker_action run(steady_time now) noexcept {
        if (now < resting_until_) return {.what = worker_do::wait, .timeout = resting_until_ - now};
        const bool due = deferred_.due(now);
        claims_.update(due, now);
        if (limited_at_ && now >= *limited_at_) {
            limited_at_.reset();
            return sync({.wake_peer = wake_peer_});
        }
        if (claims_.must_poll(now)) return poll(now);
        const std::uint32_t limit = claim_limit();
        if (limit == 0 && asleep_) {
            return sync({.promote = due,
                         .peek_next_due = due,
                         .unsubscribe_wakes = true,
                         .wake_peer = wake_peer_ || notified_});
        }
        if (limit > 0 && !claims_.is_drained()) return claim(limit, due, now);
        if (due) return sync({.promote = true, .peek_next_due = true, .wake_peer = true});
        if (limit > 0 && !asleep_ && !claims_.ends_when_drained()) {
            return sync({.limit = limit,
                         .from_start = !claims_.scan_postponed(),
                         .peek_next_due = true,
                         .subscribe_wakes = true});
        }
        if (unflushed_ > 0 && (now >= flush_at_ || in_hand() == 0))
            return sync({.peek_next_due = deferred_.peek_postponed()});
        if (deferred_.must_peek(now) || (deferred_.peek_postponed() && in_hand() == 0))
            return sync({.peek_next_due = true});
        if (claims_.ends_when_drained() && claims_.is_drained() && in_hand() == 0 && !limited_at_ &&
            !deferred_.due_soon(now))
            return end_of_work(now);
        return {.what = worker_do::wait, .timeout = until_something(now)};
    }

    worker_action claim(std::uint32_t limit, bool due, steady_time now) noexcept {
        const bool start = claims_.scan_due(asleep_, now);
        // A worker that was woken claims first. Whether it was woken for a deferred job it sees afterwards.
        const bool hurry = asleep_ && notified_ && !due;
        if (hurry) deferred_.postpone_peek(soon, now);
        return sync({.limit = limit,
                     .from_start = start,
                     .promote = due,
                     .peek_next_due = !hurry && (due || asleep_ || (start && claims_.ends_when_drained()) ||
                                                 deferred_.may_peek(now)),
                     .unsubscribe_wakes = asleep_ && full_,
                     .wake_peer = wake_peer_});
    }

    worker_action sync(worker_action a) noexcept {
        a.what = worker_do::sync;
        was_notified_ = std::exchange(notified_, false);
        return a;
    }

    // Nobody woke it for a whole interval: it looks once, for jobs and for deferred ones in turn, one statement each.
    worker_action poll(steady_time now) noexcept {
        claims_.polled(now);
        poll_deferred_ = !poll_deferred_;
        const std::uint32_t limit = claim_limit();
        if (poll_deferred_ || limit == 0) return sync({.peek_next_due = true});
        return sync({.limit = limit, .from_start = true});
    }

    worker_action end_of_work(steady_time now) noexcept {
        if (claims_.ran_since_drained())
            return claims_.scan_again(), sync({.limit = claim_limit(), .from_start = true});
        if (options_.until == run_until::empty) return shutdown_.begin(now), wind_down(now);
        if (now - counted_ < count_every) return {.what = worker_do::wait, .timeout = count_every - (now - counted_)};
        claims_.claim_again();
        return {.what = worker_do::count_deferred};
    }

    worker_action wind_down(steady_time now) noexcept {
        const steady_time last_call = shutdown_.last_call();
        if (now < std::min(resting_until_, last_call))
            return {.what = worker_do::wait, .timeout = std::min(resting_until_, last_call) - now};
        const bool due = now >= std::min(flush_at_, shutdown_.grace_ends()) || in_hand() == 0;
        if (unflushed_ > 0 && now < last_call && due) return sync({.unsubscribe_wakes = asleep_});
        return shutdown_.next(in_hand(), unflushed_ > 0 ? flush_at_ : steady_time::max(), now);
    }

    // A wait ends when it is time to compare the leases.
    worker_action until_check(worker_action a, steady_time now) const noexcept {
        const duration left = connection_.next_at() - now;
        if (a.what == worker_do::wait && left < a.timeout) a.timeout = std::max(left, shortest_wait);
        return a;
    }
    // Without a connection whatever needs one is a pause.
    worker_action offline(worker_action a, steady_time now) const noexcept {
        if (a.what == worker_do::sync || a.what == worker_do::count_deferred)
            a = {.what = worker_do::wait, .timeout = std::chrono::seconds{1}};
        if (a.what != worker_do::wait) return a;
        const duration left = std::min<duration>(a.timeout, connection_.next_at() - now);
        return {.what = worker_do::pause, .timeout = std::max(left, shortest_wait)};
    }

    void more_for_peers(steady_time now) noexcept { wake_peer_ = wake_peer_ || now - woke_peer_ >= wake_peer_every; }

    // Refill when half is gone, or when a slot is empty: a claim is worth a round trip.
    std::uint32_t claim_limit() const noexcept {
        const std::uint32_t held = in_hand();
        const std::uint32_t half = window_.target() / 2;
        if (held >= slots_ && held > half) return 0;
        return options_.overlap ? std::min(window_.room(), std::max(half, slots_)) : window_.room();
    }

    duration until_something(steady_time now) const noexcept {
        duration left = claims_.until(deferred_.until(options_.poll_interval, now), now);
        if (limited_at_) left = std::min<duration>(left, *limited_at_ - now);
        if (unflushed_ > 0) left = std::min<duration>(left, flush_at_ - now);
        if (in_hand() > slots_ && !window_.holds_too_many())
            left = std::min<duration>(left, window_.holds_too_many_at() - now);
        return std::max(left, duration{std::chrono::microseconds{100}});
    }

    worker_options options_;
    prefetch_window window_;
    claim_schedule claims_;
    deferred_schedule deferred_;
    connection connection_;
    shutdown shutdown_;
    std::uint32_t slots_;
    std::uint32_t idle_ = 0;  // of the slots, when they were last counted
    bool asleep_ = false;     // announced
    bool notified_ = false;
    bool was_notified_ = false;  // before the latest exchange
    bool limited_come_ = false;  // the latest exchange brought some
    bool full_ = false;          // the latest claim brought as many as asked
    bool wake_peer_ = false;     // a claim was full, and no peer knows
    bool poll_deferred_ = false;
    std::uint32_t unflushed_ = 0;
    std::uint32_t ran_ = 0;  // run by the loop's thread, not finished() yet
    int failures_ = 0;
    steady_time flush_at_{};
    steady_time asked_{};   // for the latest action
    steady_time ran_at_{};  // when the latest jobs in the loop's thread had run
    steady_time woke_peer_{};
    steady_time counted_{};
    steady_time resting_until_{};
    std::optional<steady_time> limited_at_;  // when to claim from limited lanes again
};

}  // namespace pgq::fsm
