#pragma once

#include <pgq/job/id.hpp>
#include <pgq/job/scheduled_at.hpp>
#include <pgq/protocol/rank.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/trace/context.hpp>
#include <pgq/trace/headers.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pgq::detail {

/// What can be read about a job, however the program got it: its handler's context, a polled job, a taken job. `Holder`
/// has `record()`, which is a job_record or a stored_job.
template <class Holder>
class job_attributes {
public:
    job_id id() const noexcept { return stored().id; }
    std::int16_t priority() const noexcept { return stored().rank.priority(); }
    /// The time by which the job is expected (`expected_at`), in milliseconds; nullopt if it has none.
    std::optional<time_point> deadline() const noexcept {
        const auto ms = stored().rank.deadline_ms();
        if (ms == rank::no_deadline) return std::nullopt;
        return time_point{std::chrono::milliseconds{ms}};
    }
    /// When the job was enqueued, by the database's clock. Retries, snoozes and a new payload do not change it.
    time_point enqueued_at() const noexcept { return stored().enqueued_at; }
    /// The tick of the schedule that has enqueued the job; nullopt if none has. Late firing, a delay and retries do not
    /// change it.
    std::optional<time_point> scheduled_at() const noexcept {
        const auto text = header_value(scheduled_at_header);
        return text ? parse_tick(*text) : std::nullopt;
    }
    const auto& headers() const noexcept { return stored().headers; }
    std::optional<std::string_view> header_value(std::string_view name) const noexcept {
        for (const auto& h : stored().headers)
            if (h.name == name) return h.value;
        return std::nullopt;
    }
    /// Where in a trace the job was enqueued: its headers `traceparent` and `tracestate`. Nullopt if it has none, or if
    /// the former must be ignored (W3C Trace Context). The state is a view into the headers.
    std::optional<trace::context> creation_trace() const noexcept { return trace::read(stored().headers); }

protected:
    job_attributes() = default;

private:
    const auto& stored() const noexcept { return static_cast<const Holder&>(*this).record(); }
};

}  // namespace pgq::detail
