#pragma once

#include <pgq/job/record.hpp>
#include <pgq/job/resources.hpp>
#include <pgq/time/clock.hpp>

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
            steady_time must_end_by = steady_time::max()) noexcept
        : job_{&job}, stop_{std::move(stop)}, resources_{&shared}, try_number_{try_number}, must_end_by_{must_end_by} {}

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

private:
    const job_record* job_;
    std::stop_token stop_;
    const pgq::resources* resources_;
    int try_number_;
    steady_time must_end_by_;
};

}  // namespace pgq
