#pragma once

#include <pgq/compose/decorator_stack.hpp>
#include <pgq/concept/decorator.hpp>
#include <pgq/executor/watchdog.hpp>
#include <pgq/time/clock.hpp>

#include <optional>
#include <stop_token>
#include <string>
#include <tuple>
#include <utility>

namespace pgq::detail {

/// What an attempt keeps while decorators are around its handler: their stack, what the handler sees, and its latest
/// result. It stays where it is: the handler's context and the watchdog keep addresses in it.
template <class Tuple>
class decorated_calls;

template <class... Decorators>
class decorated_calls<std::tuple<const Decorators&...>> {
public:
    /// `outside` is what the outermost decorator gets to see.
    decorated_calls(const attempt_services& services, const std::tuple<const Decorators&...>& decorators,
                    const try_scope& outside, steady_time now)
        : stack_(std::apply([&](const auto&... all) { return decorator_stack<Decorators...>(services, all...); },
                            decorators)),
          scope_{outside} {
        stack_.enter(scope_, now);
    }
    decorated_calls(const decorated_calls&) = delete;
    decorated_calls& operator=(const decorated_calls&) = delete;

    /// What the next call of the handler sees.
    const try_scope& scope() const noexcept { return scope_; }
    try_result& result() noexcept { return result_; }
    /// Where a checkpoint leaves the payload for the next call.
    std::optional<std::string>& revised() noexcept { return revised_; }
    /// What cuts the present pause short, apart from the worker.
    const std::stop_token& pause_stop() const noexcept { return pause_stop_; }

    /// A call has ended. A returned duration is the pause before the next one; without one `result()` is the result of
    /// the attempt.
    std::optional<duration> ended(try_result&& r, steady_time now) {
        result_ = std::move(r);
        return stack_.leave(result_, now, pause_stop_);
    }
    /// The pause was cut short; the answer means the same as that of `ended`.
    std::optional<duration> pause_interrupted(steady_time now) { return stack_.give_up(result_, now, pause_stop_); }
    /// The pause is over, and the handler is called again.
    void again(steady_time now) { stack_.again(scope_, now); }

private:
    decorator_stack<Decorators...> stack_;
    try_scope scope_;
    try_result result_{};
    std::stop_token pause_stop_{};
    std::optional<std::string> revised_{};
};

}  // namespace pgq::detail
