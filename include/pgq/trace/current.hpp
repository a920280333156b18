#pragma once

#include <pgq/trace/context.hpp>

namespace pgq::trace {
namespace detail {

inline constinit thread_local const context* current_context = nullptr;

}  // namespace detail

/// The context of what this thread does now, or null: that of the innermost `scope`. The pointer is valid as long as
/// that scope lives. While a handler that is no coroutine runs, observer::tracing sets it to the span of the attempt.
inline const context* current() noexcept { return detail::current_context; }

/// Makes a context the current one of this thread until the end of the scope:
///
///     pgq::trace::scope here{*pgq::trace::parse(request["traceparent"], request["tracestate"])};
///     jobs.enqueue(job);
///
/// Scopes of a thread must end in the reverse order, on the same thread: never keep one over a `co_await`. The text of
/// the state must outlive the scope.
class scope {
public:
    explicit scope(const context& c) noexcept : mine_{c}, outer_{detail::current_context} {
        detail::current_context = &mine_;
    }
    ~scope() { detail::current_context = outer_; }
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;

private:
    context mine_;
    const context* outer_;
};

}  // namespace pgq::trace
