#pragma once

#include <pgq/concept/decorator.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/job/stop_reason.hpp>

#include <exception>
#include <string>

namespace pgq::detail {

/// The text of what a handler threw.
inline std::string exception_text(const std::exception_ptr& thrown) noexcept {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& e) { return e.what(); } catch (...) {
        return "an exception that is no std::exception";
    }
}

/// Why the handler ended itself by `stopping`; `none` if it threw something else.
inline stop_reason stopping_reason(const std::exception_ptr& thrown) noexcept {
    try {
        std::rethrow_exception(thrown);
    } catch (const stopping& s) { return s.reason(); } catch (...) {
        return stop_reason::none;
    }
}

/// A failed call with that text as its reason. The back-off says when the job runs again. If the handler ended because
/// it must not go on here, the call has not failed: the job goes back to the queue.
inline try_result failed_with(const std::exception_ptr& thrown) noexcept {
    const auto stopped = stopping_reason(thrown);
    if (stopped == stop_reason::shutdown || stopped == stop_reason::lease_lost) return {.what = release{}};
    return {.what = retry_after{{}, exception_text(thrown)}, .has_delay = false};
}

}  // namespace pgq::detail
