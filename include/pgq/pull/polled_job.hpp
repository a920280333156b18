#pragma once

#include <pgq/context/job_attributes.hpp>
#include <pgq/context/job_services.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/protocol/own_settings.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/protocol/sync.hpp>
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

/// A job that was polled. No other program gets it until the caller answers once: `ack`, `retry`, `snooze`, `hold`,
/// `discard` or `release`. Without an answer the destructor releases it; if an exception ends its scope, the job is
/// retried.
///
/// An answer fails with errc::lease_lost if other workers took the process for dead and the job runs elsewhere, with
/// errc::already_settled if the job has had an answer, and with errc::closed if its poller is gone. After
/// errc::connection_lost the answer may be repeated. One thread at a time uses a job; different jobs are used by any
/// threads.
template <class Job>
class polled_job : public detail::job_attributes<polled_job<Job>> {
    friend class detail::job_attributes<polled_job<Job>>;

public:
    using rest_function = duration (*)(const job_record&);

    /// Without a `writer` the payload cannot be written: it is of a former version.
    polled_job(std::shared_ptr<detail::lease_owner> owner, claimed_lease lease, Job value, rest_function rest,
               const detail::payload_writer* writer = nullptr)
        : owner_{std::move(owner)}, lease_{std::move(lease)}, value_{std::move(value)}, rest_{rest}, writer_{writer} {}
    polled_job(polled_job&& other) noexcept(std::is_nothrow_move_constructible_v<Job>)
        : owner_{std::move(other.owner_)},
          lease_{std::move(other.lease_)},
          value_{std::move(other.value_)},
          rest_{other.rest_},
          writer_{other.writer_},
          answered_{std::exchange(other.answered_, true)},
          exceptions_{other.exceptions_} {}
    polled_job& operator=(polled_job&& other) noexcept(std::is_nothrow_move_assignable_v<Job>) {
        end_scope();
        owner_ = std::move(other.owner_);
        lease_ = std::move(other.lease_);
        value_ = std::move(other.value_);
        rest_ = other.rest_;
        writer_ = other.writer_;
        answered_ = std::exchange(other.answered_, true);
        exceptions_ = other.exceptions_;
        return *this;
    }
    ~polled_job() { end_scope(); }

    Job& value() noexcept { return value_; }
    const Job& value() const noexcept { return value_; }
    Job& operator*() noexcept { return value_; }
    const Job& operator*() const noexcept { return value_; }
    Job* operator->() noexcept { return &value_; }
    const Job* operator->() const noexcept { return &value_; }
    /// Which delivery this is; 1 for the first.
    int attempts() const noexcept { return record().attempt; }

    /// A checkpoint: the stored payload of this job becomes `job`, durably: `job->page = 7; job.update(*job);`. The
    /// next attempt gets it, also after the death of this process. Errors are those of answers, those of the
    /// serializer, errc::payload_too_large, and errc::invalid_option for a payload of a former version of its type;
    /// then the old payload stays.
    result<void> update(const Job& job) {
        if (answered_) return errc::already_settled;
        if (writer_ == nullptr) return detail::written_by_a_former_version();
        std::string body;
        if (auto written = writer_->write(&job, body); !written) return written;
        return owner_->revise(lease_.ref, record().id, body);
    }

    /// Done: the job is gone.
    result<void> ack() { return answer(settle_kind::done, {}, {}); }
    /// Done, in the caller's transaction: `job.ack(pgq::within(conn))`. The job is gone when that commits. After
    /// errc::lease_lost the transaction cannot be committed. If it rolls back, the job comes back when the lease time
    /// has passed after the end of its poller.
    template <class Tx>
        requires requires { typename Tx::is_borrowed_transaction; }
    result<void> ack(const Tx& tx) {
        if (answered_) return errc::already_settled;
        auto info = owner_->info_of(lease_.ref);
        if (!info) return std::move(info.error());
        auto done = tx.finish(info->schema, lease_.ref, info->worker);
        if (!done) return done;
        answered_ = true;
        owner_->answered_elsewhere(lease_.ref);
        return {};
    }
    /// Failed: the job runs again after the back-off of its entrypoint, or after `delay`. The attempt counts. After the
    /// last attempt the job is held.
    result<void> retry(std::string_view reason = {}) { return retry(rest_(record()), reason); }
    result<void> retry(duration delay, std::string_view reason = {}) {
        if (record().attempt >= max_attempts_of(record().headers, owner_->max_attempts()))
            return hold(reason.empty() ? "the last attempt failed" : reason);
        return answer(settle_kind::retry, delay, reason);
    }
    /// Comes again after `delay`, at least 100 ms; the attempt does not count.
    result<void> snooze(duration delay) { return answer(settle_kind::release, detail::snooze_rest(delay), {}); }
    /// Held with the reason until a program requeues it.
    result<void> hold(std::string_view reason) { return answer(settle_kind::hold, {}, reason); }
    /// Gone without being done.
    result<void> discard(std::string_view reason = {}) { return answer(settle_kind::discard, {}, reason); }
    /// Claimable again at once, as if it had not been polled.
    result<void> release() { return answer(settle_kind::release, {}, {}); }

private:
    static constexpr std::size_t max_reason = 4096;

    const job_record& record() const noexcept { return lease_.jobs.front(); }

    result<void> answer(settle_kind kind, duration delay, std::string_view reason) {
        const std::string storable = detail::make_storable(reason, max_reason);
        if (answered_) return errc::already_settled;
        auto done =
            owner_->answer(lease_.ref, {.index = record().index, .kind = kind, .delay = delay, .reason = storable});
        answered_ = done.has_value();
        return done;
    }
    void end_scope() noexcept {
        if (answered_) return;
        try {
            if (std::uncaught_exceptions() > exceptions_) (void)retry("an exception ended its scope");
            else (void)release();
        } catch (...) {  // without memory it comes back when the poller closes
        }
    }

    std::shared_ptr<detail::lease_owner> owner_;
    claimed_lease lease_;
    Job value_;
    rest_function rest_;
    const detail::payload_writer* writer_;
    bool answered_ = false;
    int exceptions_ = std::uncaught_exceptions();
};

}  // namespace pgq
