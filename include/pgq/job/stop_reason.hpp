#pragma once

#include <cstdint>
#include <exception>
#include <string_view>

namespace pgq {

/// Why a running handler should end. What becomes of its job depends on it: see `context::throw_if_stopping`.
enum class stop_reason : std::uint8_t {
    none,              ///< it should not
    cancelled,         ///< somebody cancelled the job
    shutdown,          ///< the worker stops, and its grace time is over
    timeout,           ///< the time of `executor::timeout` is over
    lease_lost,        ///< the worker lost the job: another worker may run it now
    schedule_overlap,  ///< the next tick of its schedule cancelled the job: `overlap::cancel_running`
    other,             ///< a decorator of the program fired the token, or the context was made by hand
};

/// The names for logs and metrics. They are stable.
constexpr std::string_view name_of(stop_reason r) noexcept {
    constexpr std::string_view names[] = {"none",       "cancelled",        "shutdown", "timeout",
                                          "lease_lost", "schedule_overlap", "other"};
    return names[static_cast<std::uint8_t>(r)];
}

/// What `context::throw_if_stopping` throws. Let it leave the handler: the worker then does with the job what the
/// reason asks for. It is no std::runtime_error, so that a handler which catches those does not end it by accident.
class stopping : public std::exception {
public:
    explicit stopping(stop_reason why) noexcept : why_{why} {}
    stop_reason reason() const noexcept { return why_; }
    const char* what() const noexcept override {
        switch (why_) {
        case stop_reason::cancelled: return "the job was cancelled";
        case stop_reason::shutdown: return "the worker stops";
        case stop_reason::timeout: return "the time limit of the handler is over";
        case stop_reason::lease_lost: return "the worker lost the job";
        case stop_reason::schedule_overlap: return "the next tick of the schedule cancelled the job";
        default: return "the handler was asked to stop";
        }
    }

private:
    stop_reason why_;
};

}  // namespace pgq
