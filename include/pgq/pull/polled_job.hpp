#pragma once

#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/exchange.hpp>
#include <pgq/job/record.hpp>
#include <pgq/job/services.hpp>
#include <pgq/pull/lease_owner.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace pgq {

/// A job that was polled: nobody else gets it until it is answered for, once, by one of `ack`, `retry`, `snooze`, `hold`, `discard` and `release`.
/// When it goes out of scope without an answer it is released; when it does because of an exception, retried.
///
/// An answer fails with errc::lease_lost when the process was taken for dead and the job runs elsewhere; with errc::already_settled when it
/// has had one; with errc::closed when its poller is gone. After errc::connection_lost it may be given again. One job is used by one thread at a time;
/// different ones by any threads.
template <class Job>
class polled_job {
public:
    using rest_function = duration (*)(const job_record&);

    /// Without a `writer` the payload cannot be written: it is of a former version.
    polled_job(std::shared_ptr<detail::lease_owner> desk, claimed_lease lease, Job value, rest_function rest,
               const detail::payload_writer* writer = nullptr)
        : desk_{std::move(desk)}, lease_{std::move(lease)}, value_{std::move(value)}, rest_{rest}, writer_{writer} {}
    polled_job(polled_job&& other) noexcept(std::is_nothrow_move_constructible_v<Job>)
        : desk_{std::move(other.desk_)},
          lease_{std::move(other.lease_)},
          value_{std::move(other.value_)},
          rest_{other.rest_},
          writer_{other.writer_},
          answered_{std::exchange(other.answered_, true)},
          exceptions_{other.exceptions_} {}
    polled_job& operator=(polled_job&& other) {
        let_go();
        desk_ = std::move(other.desk_);
        lease_ = std::move(other.lease_);
        value_ = std::move(other.value_);
        rest_ = other.rest_;
        writer_ = other.writer_;
        answered_ = std::exchange(other.answered_, true);
        exceptions_ = other.exceptions_;
        return *this;
    }
    ~polled_job() { let_go(); }

    job_id id() const noexcept { return record().id; }
    Job& value() noexcept { return value_; }
    const Job& value() const noexcept { return value_; }
    Job& operator*() noexcept { return value_; }
    const Job& operator*() const noexcept { return value_; }
    Job* operator->() noexcept { return &value_; }
    const Job* operator->() const noexcept { return &value_; }
    /// Which delivery this is; 1 for the first.
    int attempts() const noexcept { return record().attempt; }
    std::int16_t priority() const noexcept { return record().rank.priority(); }
    /// The moment it was expected by (`expected_at`), to the millisecond.
    std::optional<time_point> deadline() const noexcept {
        const auto ms = record().rank.deadline_ms();
        if (ms == rank::no_deadline) return std::nullopt;
        return time_point{std::chrono::milliseconds{ms}};
    }
    std::span<const header> headers() const noexcept { return record().headers; }
    std::optional<std::string_view> header_value(std::string_view name) const noexcept {
        for (const auto& h : record().headers)
            if (h.name == name) return h.value;
        return std::nullopt;
    }

    /// A checkpoint: the stored payload of this job becomes `job`, durably; `job->page = 7; job.update(*job);`. Whoever gets it next, after a failure or
    /// the death of this process, gets that. Errors as for answers, and errc::invalid_option for a payload of a former version of its
    /// type, what the serializer says, errc::payload_too_large: the old one stays.
    result<void> update(const Job& job) {
        if (answered_) return errc::already_settled;
        if (writer_ == nullptr) return detail::written_by_a_former_version();
        std::string body;
        if (auto written = writer_->write(&job, body); !written) return written;
        return desk_->revise(lease_.ref, id(), body);
    }

    /// Done: the job is gone.
    result<void> ack() { return answer(settle_kind::done, {}, {}); }
    /// Done, in a transaction of yours: `job.ack(pgq::within(conn))`. It is done when that commits. With errc::lease_lost the transaction has
    /// failed and cannot be committed. Rolled back, the job comes back, but only when the lease time has passed after its poller is gone.
    template <class Tx>
        requires requires { typename Tx::is_borrowed_transaction; }
    result<void> ack(const Tx& tx) {
        if (answered_) return errc::already_settled;
        auto facts = desk_->look_up(lease_.ref);
        if (!facts) return std::move(facts.error());
        auto done = tx.finish(facts->schema, lease_.ref, facts->worker);
        if (!done) return done;
        answered_ = true;
        desk_->answered_elsewhere(lease_.ref);
        return {};
    }
    /// It has failed: again after the back-off of its entrypoint, or `delay`. The attempt counts, and after the last of them it is held.
    result<void> retry(std::string_view reason = {}) { return retry(rest_(record()), reason); }
    result<void> retry(duration delay, std::string_view reason = {}) {
        if (record().attempt >= desk_->max_attempts()) return hold(reason.empty() ? "the last attempt failed" : reason);
        return answer(settle_kind::retry, delay, reason);
    }
    /// Again after `delay`; the attempt does not count.
    result<void> snooze(duration delay) { return answer(settle_kind::release, delay, {}); }
    /// Kept aside with the reason until somebody requeues it.
    result<void> hold(std::string_view reason) { return answer(settle_kind::hold, {}, reason); }
    /// Dropped: it is gone without having been done.
    result<void> discard(std::string_view reason = {}) { return answer(settle_kind::discard, {}, reason); }
    /// At once somebody else's, as if it had not been polled.
    result<void> release() { return answer(settle_kind::release, {}, {}); }

private:
    static constexpr std::size_t max_reason = 4096;

    const job_record& record() const noexcept { return lease_.jobs.front(); }

    result<void> answer(settle_kind kind, duration delay, std::string_view reason) {
        const std::string storable = detail::make_storable(reason, max_reason);
        if (answered_) return errc::already_settled;
        auto said =
            desk_->answer(lease_.ref, {.index = record().index, .kind = kind, .delay = delay, .reason = storable});
        answered_ = said.has_value();
        return said;
    }
    void let_go() noexcept {
        if (answered_) return;
        try {
            if (std::uncaught_exceptions() > exceptions_) (void)retry("an exception ended its scope");
            else (void)release();
        } catch (...) {  // without memory it comes back when the poller closes
        }
    }

    std::shared_ptr<detail::lease_owner> desk_;
    claimed_lease lease_;
    Job value_;
    rest_function rest_;
    const detail::payload_writer* writer_;
    bool answered_ = false;
    int exceptions_ = std::uncaught_exceptions();
};

}  // namespace pgq
