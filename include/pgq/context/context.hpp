#pragma once

#include <pgq/context/job_attributes.hpp>
#include <pgq/context/job_services.hpp>
#include <pgq/context/resources.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/stop_reason.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/protocol/revision.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/trace/context.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>
#include <utility>

namespace pgq {

/// What a handler can read about its job and the current attempt. It is valid until the handler returns (or its
/// coroutine ends).
class context : public detail::job_attributes<context> {
    friend class detail::job_attributes<context>;

public:
    context(const job_record& job, std::stop_token stop, const pgq::resources& shared, int try_number = 1,
            steady_time must_end_by = steady_time::max(), const detail::job_services& services = {}) noexcept
        : job_{&job},
          stop_{std::move(stop)},
          resources_{&shared},
          try_number_{try_number},
          must_end_by_{must_end_by},
          services_{services} {}

    /// The name of the queue that the job is in. Empty in a context made by hand.
    std::string_view queue_name() const noexcept { return services_.queue; }
    /// The span of this attempt, if the queue has a tracer; without one, creation_trace(). To enqueue in it from a
    /// coroutine: `{.headers = pgq::trace::headers{*c.trace()}}`; other handlers need not say it.
    std::optional<pgq::trace::context> trace() const noexcept {
        return services_.span != nullptr ? *services_.span : creation_trace();
    }
    /// 1 for the first delivery. A delivery that ended because its worker died counts.
    std::int16_t attempt() const noexcept { return job_->attempt; }
    /// 1 for the first call of the handler in this attempt. Only `executor::retrying` calls it again.
    int try_number() const noexcept { return try_number_; }
    /// When a timeout ends this call: the stop token fires and the attempt fails. Nullopt without a timeout.
    std::optional<steady_time> must_end_by() const noexcept {
        if (must_end_by_ == steady_time::max()) return std::nullopt;
        return must_end_by_;
    }
    /// Fires when the handler should end: the job was cancelled, its lease was lost, its timeout is over, or the worker
    /// stops and the grace time is over. The job may run again in another worker at the same time.
    const std::stop_token& stop_token() const noexcept { return stop_; }
    /// Why the handler should end; `none` as long as stop_token() has not fired. The first reason stays. Any thread may
    /// call it while the context is valid. In the process of `executor::process` it is always `none`: a signal ends a
    /// handler there.
    pgq::stop_reason stop_reason() const noexcept {
        if (!stop_.stop_requested()) return pgq::stop_reason::none;
        if (const auto why = services_.why_stopped(); why != pgq::stop_reason::none) return why;
        return must_end_by() ? pgq::stop_reason::timeout : pgq::stop_reason::other;
    }
    /// Throws `stopping` if the handler should end. Call it between the steps of a long job, and let the exception
    /// leave the handler. The job then goes where the reason asks for:
    ///
    /// - shutdown, lease_lost: back to the queue at once, and the attempt does not count, as with `release`
    /// - cancelled: it ends as cancelled
    /// - timeout, other: the attempt has failed
    void throw_if_stopping() const {
        if (const auto why = stop_reason(); why != pgq::stop_reason::none) throw stopping{why};
    }
    /// An object of the application; see `resources`. Throws std::out_of_range if none of this type was added.
    template <class T>
    T& resource() const {
        return resources_->get<T>();
    }

    /// A checkpoint: stores `job` as the new payload of this job. It is durable when this returns. If the attempt then
    /// fails or the process dies, the next attempt starts with the new payload. The argument of the running handler
    /// stays the same.
    ///
    /// Errors: errc::lease_lost if the worker has lost the job and another worker may run it; errc::invalid_option if
    /// `job` has another type than the handler's job, if the payload came in a former version, or if no worker owns
    /// this context; errors of the serializer; errc::payload_too_large; errors of the database. After an error the old
    /// payload stays. After errc::connection_lost either payload may be stored. No error ends the attempt.
    ///
    /// It blocks for one round trip on the connection of the queue object, which other calls on that object share. Only
    /// one thread at a time may call `update` and `progress` of a context.
    template <class Job>
    result<void> update(const Job& job) const {
        return services_.update(job_->id, job);
    }

    /// Stores how much of the work is done: a fraction from 0 to 1, and a text of which the first 1024 bytes are kept.
    /// `queue::progress` and `handle::progress` read it. A fraction below 0 counts as 0, one above 1 as 1.
    ///
    /// A handler may call this often. A call less than 200 ms after the previous round trip does nothing and succeeds,
    /// unless the fraction is 1. Every other call costs one round trip, like `update`, and has the errors of `update`;
    /// a fraction that is not a number is errc::invalid_option. A failed attempt keeps the progress; it is removed when
    /// the job ends or is held. The first call makes the job a tracked job.
    result<void> progress(double fraction, std::string_view text = {}) const {
        if (std::isnan(fraction)) return error_info{errc::invalid_option, "the progress is not a number"};
        const auto now = std::chrono::steady_clock::now();
        if (stored_at_ != steady_time{} && now - stored_at_ < std::chrono::milliseconds{200} && fraction < 1) return {};
        stored_at_ = now;
        return services_.progress(job_->id, detail::packed(fraction, text));
    }

private:
    const job_record& record() const noexcept { return *job_; }

    const job_record* job_;
    std::stop_token stop_;
    const pgq::resources* resources_;
    int try_number_;
    steady_time must_end_by_;
    detail::job_services services_;
    mutable steady_time stored_at_{};  // of the latest progress
};

}  // namespace pgq
