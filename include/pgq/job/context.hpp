#pragma once

#include <pgq/error/result.hpp>
#include <pgq/job/record.hpp>
#include <pgq/job/resources.hpp>
#include <pgq/job/revision.hpp>
#include <pgq/job/services.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>
#include <utility>

namespace pgq {

/// What a handler may know about the attempt it runs in. Valid until the handler returns (or its coroutine ends).
class context {
public:
    context(const job_record& job, std::stop_token stop, const pgq::resources& shared, int try_number = 1,
            steady_time must_end_by = steady_time::max(), const detail::job_services& services = {}) noexcept
        : job_{&job},
          stop_{std::move(stop)},
          resources_{&shared},
          try_number_{try_number},
          must_end_by_{must_end_by},
          services_{services} {}

    job_id id() const noexcept { return job_->id; }
    /// 1 for the first delivery; a delivery that ended with the worker's death counts.
    std::int16_t attempt() const noexcept { return job_->attempt; }
    /// 1 for the first call of the handler in this attempt; `executor::retrying` makes further ones.
    int try_number() const noexcept { return try_number_; }
    std::int16_t priority() const noexcept { return job_->rank.priority(); }
    /// The moment this job was expected by (`expected_at`), to the millisecond.
    std::optional<time_point> deadline() const noexcept {
        const auto ms = job_->rank.deadline_ms();
        if (ms == rank::no_deadline) return std::nullopt;
        return time_point{std::chrono::milliseconds{ms}};
    }
    /// When an `executor::timeout` takes it for failed, nothing without one. The stop token fires then.
    std::optional<steady_time> must_end_by() const noexcept {
        if (must_end_by_ == steady_time::max()) return std::nullopt;
        return must_end_by_;
    }
    /// Fires when the attempt has become pointless: its lease was lost, its `executor::timeout` is over, or the worker stops and
    /// the grace time is over. What a handler does after that may happen twice.
    const std::stop_token& stop_token() const noexcept { return stop_; }
    std::span<const header> headers() const noexcept { return job_->headers; }
    std::optional<std::string_view> header_value(std::string_view name) const noexcept {
        for (const auto& h : job_->headers)
            if (h.name == name) return h.value;
        return std::nullopt;
    }
    /// The application's own things; see `resources`. Throws std::out_of_range when there is none of that type.
    template <class T>
    T& resource() const {
        return resources_->get<T>();
    }

    /// A checkpoint: the stored payload of this job becomes `job`, durably when this returns. Whatever happens to the attempt then, a failure
    /// or the death of the process, the next one begins with it. What the handler was called with stays as it is.
    ///
    /// Errors: errc::lease_lost when the job is not ours any more, and somebody else may be running it; errc::invalid_option for a `job` of
    /// another type than the handler's, for one that came in a former version of its payload, and where no worker is behind the
    /// context; what the serializer says; errc::payload_too_large; those of a call on the database. Then the old one stays, but
    /// after errc::connection_lost that is in doubt. None of them ends the attempt.
    ///
    /// Blocks for a round trip, on the connection of the queue object, in turn with other calls on it. `update` and `progress` of one
    /// context are called by one thread at a time.
    template <class Job>
    result<void> update(const Job& job) const {
        return services_.update(id(), job);
    }

    /// For those who look (`queue::progress`, `handle::progress`): how much of the work is done, 0 to 1, and a word on it, of which the first
    /// 1024 bytes are kept. What lies beyond is taken for 0 or 1.
    ///
    /// It may be called as often as one likes: what comes within 200 ms of what was stored is not stored, and nobody sees it, unless the
    /// fraction is 1. Otherwise it costs what `update` does, and has its errors. Progress is kept through failures of the job and
    /// gone when that has ended or is held. Telling it makes the job a tracked one.
    result<void> progress(double fraction, std::string_view text = {}) const {
        if (std::isnan(fraction)) return error_info{errc::invalid_option, "a progress that is not a number"};
        const auto now = std::chrono::steady_clock::now();
        if (told_ != steady_time{} && now - told_ < std::chrono::milliseconds{200} && fraction < 1) return {};
        told_ = now;
        return services_.progress(id(), detail::packed(fraction, text));
    }

private:
    const job_record* job_;
    std::stop_token stop_;
    const pgq::resources* resources_;
    int try_number_;
    steady_time must_end_by_;
    detail::job_services services_;
    mutable steady_time told_{};
};

}  // namespace pgq
