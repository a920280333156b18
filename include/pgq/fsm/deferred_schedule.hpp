#pragma once

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <optional>

namespace pgq::fsm {

/// When the next deferred job is due, and when a worker reads that time from the database (a peek).
class deferred_schedule {
public:
    /// `peek_every`: how often a worker that is never idle peeks.
    explicit deferred_schedule(duration peek_every) noexcept : peek_every_{peek_every} {}

    /// `due`: how long until the next deferred job; empty when there is none.
    void peeked(std::optional<duration> due, steady_time now) noexcept {
        peeked_ = now;
        peek_by_.reset();
        next_due_ = due ? std::optional{now + std::clamp(*due, shortest, longest)} : std::nullopt;
    }
    /// Those that were due are claimable now. What is due after them shows the next peek.
    void promoted(steady_time now) noexcept { next_due_ = now; }
    /// This worker has deferred a job for `delay`, counted from now.
    void deferred_for(duration delay, steady_time now) noexcept {
        const steady_time due = now + std::min<duration>(delay, std::chrono::hours{24 * 365});
        next_due_ = next_due_ ? std::min(*next_due_, due) : due;
    }
    /// The worker was woken and claims before it peeks. If a deferred job is due soon, the peek of its promotion is
    /// early enough.
    void postpone_peek(duration by, steady_time now) noexcept {
        peek_by_ = next_due_ && *next_due_ - now <= 10 * by ? *next_due_ : now + by;
    }
    void forget() noexcept {
        next_due_.reset();
        peek_by_.reset();
        peeked_ = {};
    }

    bool due(steady_time now) const noexcept { return next_due_ && now >= *next_due_; }
    bool due_soon(steady_time now) const noexcept { return next_due_ && *next_due_ - now <= shortest; }
    bool must_peek(steady_time now) const noexcept { return peek_by_ && now >= *peek_by_; }
    /// Whether the next sync should peek, too: a peek was postponed, and not until the next promotion.
    bool peek_with_sync(steady_time now) const noexcept {
        return must_peek(now) || (peek_by_ && peek_by_ != next_due_);
    }
    bool may_peek(steady_time now) const noexcept { return now - peeked_ >= peek_every_; }
    /// The time until either, `left` at most.
    duration until(duration left, steady_time now) const noexcept {
        if (next_due_) left = std::min<duration>(left, *next_due_ - now);
        if (peek_by_) left = std::min<duration>(left, *peek_by_ - now);
        return left;
    }

private:
    static constexpr duration shortest = std::chrono::milliseconds{1};
    static constexpr duration longest = std::chrono::hours{24};  // some jobs are due when no clock counts any more

    duration peek_every_;
    steady_time peeked_{};
    std::optional<steady_time> next_due_;
    std::optional<steady_time> peek_by_;
};

}  // namespace pgq::fsm
