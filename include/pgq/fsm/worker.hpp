#pragma once

#include <pgq/fsm/full_scan_schedule.hpp>
#include <pgq/fsm/window.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace pgq::fsm {

/// What the shell does next.
enum class worker_do : std::uint8_t {
    exchange,        ///< one round trip as described, then exchanged() or failed()
    wait,            ///< until notified, until a job finishes, or for `timeout`; notified() only for the first
    count_deferred,  ///< ask how many jobs of our lanes are deferred or ready after all, then deferred_left()
    interrupt,       ///< the grace time is over: fire the stop tokens
    abandon,         ///< that did not help either: give back what still runs, then dropped()
    stop,            ///< nothing is left to do
};

struct worker_action {
    worker_do what = worker_do::wait;
    std::uint32_t limit = 0;  ///< claim so many
    bool from_start = false;  ///< without floors
    bool promote = false;
    bool look_ahead = false;
    bool announce_sleep = false;
    bool announce_awake = false;
    bool pass_on = false;
    duration timeout{};
};

/// When a worker ends by itself.
enum class run_until : std::uint8_t {
    stopped,  ///< never
    empty,    ///< when nothing is claimable any more; deferred jobs stay
    drained,  ///< when no deferred job is left either
};

struct worker_options {
    window_options window{};
    duration poll_interval = std::chrono::seconds{5};
    duration flush_after = std::chrono::milliseconds{50};  ///< how long a finished job may wait for company
    duration look_every = std::chrono::milliseconds{250};  ///< how long floors are trusted, and what is due next
    duration grace = std::chrono::seconds{30};
    run_until until = run_until::stopped;
    bool overlap = false;  ///< claim by halves, so that there is something to run while the other half is claimed
};

/// The life of a worker, without its I/O.
///
///     next():  unflushed and due ---------------------> exchange (acknowledge; claims too when there is room)
///              room, and not dry ---------------------> exchange (claim)
///              dry, not asleep -----------------------> exchange (announce sleep, claim once more)
///              asleep --------------------------------> wait: notified, poll time or a deferred job's time end it
///              asleep, but full now ------------------> exchange (announce awake, wake a colleague)
///
///     exchanged():  fewer than asked, from the start -> dry
///                   fewer than asked, behind floors --> not dry: look from the start; or dry until it can be afforded
///                   as many as asked -----------------> pass_on: there may be more for a colleague
///
///     stalled():    slow jobs keep others waiting ----> those are given back, and no more is held than runs
///
///     told to stop: tells what is finished, until nothing runs --> stop
///                   grace is over -------------------------------> interrupt ... 1 s ... abandon
///                   cannot tell, and nothing runs ---------------> stop 1 s after the grace
///
/// A worker stays "asleep" while it works on what it was woken for and has room for more: enqueuers go on waking it.
class worker {
public:
    explicit worker(const worker_options& o) noexcept
        : options_{o}, window_{o.window}, looks_{o.look_every}, slots_{o.window.slots} {}

    worker_action next(steady_time now) noexcept {
        asked_ = now;
        if (phase_ == phase::running) return run(now);
        return wind_down(now);
    }

    /// The exchange succeeded; it claimed `n` of `asked`. `due` counts from now.
    void exchanged(const worker_action& did, std::uint32_t n, std::uint32_t promoted, std::optional<duration> due,
                   steady_time now) noexcept {
        unflushed_ = 0;
        failures_ = 0;
        if (did.announce_sleep) asleep_ = true;
        if (did.announce_awake) asleep_ = false;
        if (did.pass_on) {
            pass_on_ = false;
            passed_on_ = now;
        }
        if (did.look_ahead) {
            looked_ahead_ = now;
            look_ahead_by_.reset();
            next_due_ = due ? std::optional{now + std::clamp(*due, shortest_wait, longest_wait)} : std::nullopt;
        }
        if (did.promote && !did.look_ahead) next_due_ = now;  // what is due after those, the next exchange tells
        if (promoted != 0) look_again();
        if (did.limit == 0) return;
        if (did.from_start) {
            looks_.looked(now - std::max(asked_, ran_at_), n != 0, now);
            look_at_.reset();
        }
        window_.claimed(n, did.limit, now);
        full_ = n == did.limit;
        if (full_) {
            pass_on_ = pass_on_ || now - passed_on_ >= pass_on_every;
            dry_ = false;
        } else if (did.from_start) {
            dry_ = true;
            polled_ = now;
        } else if (ends_when_dry() || looks_.affordable(now) || (n == 0 && called_)) {
            looks_.distrust();
        } else {
            dry_ = true;
            polled_ = now;
            look_at_ = looks_.affordable_at();
        }
    }
    /// Each exchange may also claim from limited lanes, beside its limit; it brought `n` of their jobs. `again`: when it may
    /// bring more. `more`: a colleague could take some at once.
    void claimed_limited(std::uint32_t n, std::optional<duration> again, bool more, steady_time now) noexcept {
        if (n != 0) window_.taken_along(n, now);
        limited_come_ = n != 0;
        if (again) ask_again_at_ = now + std::clamp(*again, shortest_wait, longest_wait);
        else ask_again_at_.reset();
        if (more) pass_on_ = pass_on_ || now - passed_on_ >= pass_on_every;
    }
    /// So many workers there are, this one among them.
    void among(std::int64_t workers) noexcept { looks_.among(workers); }
    void claimed_bytes(std::size_t bytes, std::uint32_t n) noexcept { window_.claimed_bytes(bytes, n); }

    /// The exchange failed though the connection is fine; nothing of it happened.
    void failed(const worker_action& did, steady_time now) noexcept {
        if (did.limit > 0) window_.halve();
        failures_ = std::min(failures_ + 1, 10);
        resting_until_ = now + std::min<duration>(std::chrono::milliseconds{10} * (1 << failures_), longest_rest);
    }

    /// `n` jobs have run in the shell's own thread, the last one until `when`, while an exchange was under way. What they cost is
    /// known now; finished() follows, when the exchange is over.
    void ran(std::uint32_t n, steady_time when) noexcept {
        if (n == 0) return;
        window_.drained(n, when);
        ran_ += n;
        ran_at_ = when;
    }
    /// `n` jobs have finished, the last one at `when`.
    void finished(std::uint32_t n, steady_time when) noexcept {
        if (n == 0) return;
        const std::uint32_t known = std::min(n, ran_);
        ran_ -= known;
        if (n != known) window_.drained(n - known, when);
        if (unflushed_ == 0) flush_at_ = when + options_.flush_after;
        unflushed_ += n;
        if (ends_when_dry() && in_hand() == 0) note_stale();
    }
    /// Some of them are to run again at once, here or elsewhere, and floors know where they are ...
    void returned() noexcept { dry_ = false; }
    /// ... or do not.
    void put_back() noexcept { look_again(); }
    /// One of them rests for `delay`, counted from now.
    void put_off(duration delay, steady_time now) noexcept {
        const steady_time due = now + std::min<duration>(delay, std::chrono::hours{24 * 365});
        next_due_ = next_due_ ? std::min(*next_due_, due) : due;
    }
    /// Whether jobs wait behind slow ones: those that have not started had better be given back, see dropped().
    bool stalled(steady_time now) noexcept {
        window_.drained(0, now);
        return phase_ == phase::running && window_.sits_on_jobs();
    }
    /// So many of the jobs in hand take no slot: they wait for others of them, or their handlers do not end and were made up for.
    void beside(std::uint32_t n) noexcept {
        const std::uint32_t slots = options_.window.slots + n;
        const std::uint32_t idle = slots - std::min(slots, in_hand());
        if (slots > slots_ && idle > idle_) look_again();  // more for what was just claimed is no room
        slots_ = slots;
        idle_ = idle;
        window_.beside(n);
    }
    /// `n` jobs have left without having run.
    void dropped(std::uint32_t n) noexcept { window_.dropped(n); }
    /// Something to tell the database that is no finished job.
    void flush(steady_time now) noexcept {
        unflushed_ = std::max(unflushed_, 1u);
        flush_at_ = now;
    }

    void notified() noexcept {
        if (!asleep_) return;
        dry_ = false;
        notified_ = true;
    }
    /// A new session: nothing announced, nothing known.
    void reconnected() noexcept {
        asleep_ = false;
        next_due_.reset();
        look_ahead_by_.reset();
        looked_ahead_ = {};
        look_again();
    }
    /// With count_deferred.
    void deferred_left(std::int64_t n, steady_time now) noexcept {
        if (n == 0) return finish(now);
        counted_ = now;
    }

    void stop_requested(steady_time now) noexcept {
        if (phase_ == phase::running) finish(now);
    }

    std::uint32_t in_hand() const noexcept { return window_.in_hand(); }
    /// How many jobs of limited lanes may be claimed beside those that begin at once: they begin so soon that nobody misses their places.
    std::uint32_t limited_ahead() const noexcept { return window_.within(soon); }
    bool stopping() const noexcept { return phase_ != phase::running; }
    /// With so many more finished the shell should come back before its wait ends.
    std::uint32_t worth_waking() const noexcept {
        if (dry_ || in_hand() == 0) return std::max(in_hand(), 1u);
        const std::uint32_t half = window_.target() / 2;
        return in_hand() > half ? std::max(1u, in_hand() - std::max(half, slots_ - 1)) : 1;
    }

private:
    enum class phase : std::uint8_t { running, finishing, interrupted, over };

    static constexpr duration shortest_wait = std::chrono::milliseconds{1};
    static constexpr duration longest_wait = std::chrono::hours{24};  // some jobs are due when no clock counts any more
    static constexpr duration pass_on_every = std::chrono::milliseconds{5};  // a colleague is awake after less
    static constexpr duration longest_rest = std::chrono::seconds{5};
    static constexpr duration soon = std::chrono::milliseconds{2};
    static constexpr duration last_grace = std::chrono::seconds{1};

    worker_action run(steady_time now) noexcept {
        if (now < resting_until_) return {.what = worker_do::wait, .timeout = resting_until_ - now};
        const bool due = next_due_ && now >= *next_due_;
        if (due || (look_at_ && now >= *look_at_) || (stale_ && looks_.due(now))) look_again();
        if (ask_again_at_ && now >= *ask_again_at_) {
            ask_again_at_.reset();
            return exchange({.pass_on = pass_on_});
        }
        if (dry_ && now - polled_ >= options_.poll_interval) return poll(now);
        const std::uint32_t room = wanted();
        if (room == 0 && asleep_) {
            return exchange(
                {.promote = due, .look_ahead = due, .announce_awake = true, .pass_on = pass_on_ || notified_});
        }
        if (room > 0 && !dry_) {
            const bool start = (asleep_ && looks_.affordable(now)) || looks_.due(now);
            // Who was woken is in a hurry: whether the call was for a deferred job it can see afterwards.
            const bool hurry = asleep_ && notified_ && !due;
            if (hurry) look_ahead_by_ = now + soon;
            return exchange({.limit = room,
                             .from_start = start,
                             .promote = due,
                             .look_ahead = !hurry && (due || asleep_ || (start && ends_when_dry()) ||
                                                      now - looked_ahead_ >= options_.look_every),
                             .announce_awake = asleep_ && full_,
                             .pass_on = pass_on_});
        }
        if (due) return exchange({.promote = true, .look_ahead = true, .pass_on = true});
        if (room > 0 && !asleep_ && !ends_when_dry())
            return exchange({.limit = room, .from_start = !look_at_, .look_ahead = true, .announce_sleep = true});
        if (unflushed_ > 0 && (now >= flush_at_ || in_hand() == 0))
            return exchange({.look_ahead = look_ahead_by_.has_value()});
        if (look_ahead_by_ && (now >= *look_ahead_by_ || in_hand() == 0)) return exchange({.look_ahead = true});
        const bool due_now = next_due_ && *next_due_ - now <= shortest_wait;
        if (ends_when_dry() && dry_ && in_hand() == 0 && !ask_again_at_ && !due_now) return end_of_work(now);
        return {.what = worker_do::wait, .timeout = until_something(now)};
    }

    worker_action exchange(worker_action a) noexcept {
        a.what = worker_do::exchange;
        called_ = std::exchange(notified_, false);
        return a;
    }

    // Nobody called for a whole interval: look once, for jobs and for deferred ones in turn, one statement each.
    worker_action poll(steady_time now) noexcept {
        polled_ = now;
        poll_ahead_ = !poll_ahead_;
        const std::uint32_t room = wanted();
        if (poll_ahead_ || room == 0) return exchange({.look_ahead = true});
        return exchange({.limit = room, .from_start = true});
    }

    worker_action end_of_work(steady_time now) noexcept {
        if (stale_) return look_again(), exchange({.limit = wanted(), .from_start = true});
        if (options_.until == run_until::empty) return finish(now), wind_down(now);
        if (now - counted_ < std::chrono::milliseconds{50})
            return {.what = worker_do::wait, .timeout = std::chrono::milliseconds{50} - (now - counted_)};
        dry_ = false;
        return {.what = worker_do::count_deferred};
    }

    // A database that cannot be told anything holds up no step for longer than `last_grace`.
    worker_action wind_down(steady_time now) noexcept {
        const steady_time last_call = grace_ends_ + last_grace;
        if (now < std::min(resting_until_, last_call))
            return {.what = worker_do::wait, .timeout = std::min(resting_until_, last_call) - now};
        if (unflushed_ > 0 && now < last_call && (now >= std::min(flush_at_, grace_ends_) || in_hand() == 0))
            return exchange({.announce_awake = asleep_});
        if (in_hand() == 0) return phase_ = phase::over, worker_action{.what = worker_do::stop};
        if (phase_ == phase::finishing && now >= grace_ends_) {
            phase_ = phase::interrupted;
            grace_ends_ = now + last_grace;
            return {.what = worker_do::interrupt};
        }
        if (phase_ == phase::interrupted && now >= grace_ends_) {
            grace_ends_ = now + last_grace;
            return {.what = worker_do::abandon};
        }
        duration left = grace_ends_ - now;
        if (unflushed_ > 0) left = std::min<duration>(left, flush_at_ - now);
        return {.what = worker_do::wait, .timeout = std::max(left, shortest_wait)};
    }

    void finish(steady_time now) noexcept {
        phase_ = phase::finishing;
        grace_ends_ = now + options_.grace;
    }

    // Handlers enqueue, too: before a worker may end it has to look again. But while jobs of limited lanes keep coming, few at a time, not
    // for each of these.
    void note_stale() noexcept {
        if (limited_come_) stale_ = true;
        else look_again();
    }

    void look_again() noexcept {
        dry_ = stale_ = false;
        look_at_.reset();
        looks_.distrust();
    }

    bool ends_when_dry() const noexcept { return options_.until != run_until::stopped; }

    // Refill when half is gone, or when a slot stands empty: a claim is worth a round trip.
    std::uint32_t wanted() const noexcept {
        const std::uint32_t hand = in_hand();
        const std::uint32_t half = window_.target() / 2;
        if (hand >= slots_ && hand > half) return 0;
        return options_.overlap ? std::min(window_.room(), std::max(half, slots_)) : window_.room();
    }

    duration until_something(steady_time now) const noexcept {
        duration left = options_.poll_interval;
        if (dry_) left = std::min<duration>(left, polled_ + options_.poll_interval - now);
        if (next_due_) left = std::min<duration>(left, *next_due_ - now);
        if (look_at_) left = std::min<duration>(left, *look_at_ - now);
        if (stale_) left = std::min<duration>(left, looks_.due_at() - now);
        if (ask_again_at_) left = std::min<duration>(left, *ask_again_at_ - now);
        if (look_ahead_by_) left = std::min<duration>(left, *look_ahead_by_ - now);
        if (unflushed_ > 0) left = std::min<duration>(left, flush_at_ - now);
        if (in_hand() > slots_ && !window_.sits_on_jobs()) left = std::min<duration>(left, window_.stalls_at() - now);
        return std::max(left, duration{std::chrono::microseconds{100}});
    }

    worker_options options_;
    window window_;
    looks looks_;
    std::uint32_t slots_;
    std::uint32_t idle_ = 0;  // of the slots, when they were last counted
    phase phase_ = phase::running;
    bool dry_ = false;     // looked, and found less than asked
    bool asleep_ = false;  // announced
    bool notified_ = false;
    bool called_ = false;        // the latest exchange is because of that
    bool stale_ = false;         // dry, but jobs have run since
    bool limited_come_ = false;  // the latest exchange brought some
    bool full_ = false;          // the latest claim brought as many as asked
    bool pass_on_ = false;       // one was full, and no colleague knows
    bool poll_ahead_ = false;
    std::uint32_t unflushed_ = 0;
    std::uint32_t ran_ = 0;  // of those in no hand any more, not finished yet
    int failures_ = 0;
    steady_time flush_at_{};
    steady_time asked_{};   // for the latest action
    steady_time ran_at_{};  // when the latest jobs in the shell's thread had run
    steady_time looked_ahead_{};
    steady_time passed_on_{};
    steady_time polled_{};
    steady_time counted_{};
    steady_time resting_until_{};
    steady_time grace_ends_{};
    std::optional<steady_time> next_due_;
    std::optional<steady_time> look_at_;        // from the start, which could not be afforded
    std::optional<steady_time> look_ahead_by_;  // woken, and not looked yet
    std::optional<steady_time> ask_again_at_;   // limited lanes
};

}  // namespace pgq::fsm
