#pragma once

#include <pgq/concept/decorator.hpp>
#include <pgq/executor/decorator.hpp>
#include <pgq/executor/default_inner.hpp>
#include <pgq/executor/settings.hpp>
#include <pgq/executor/watchdog.hpp>
#include <pgq/time/static_duration.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

namespace pgq::detail {

/// A time as text in the largest unit that gives a whole number: "30 s", "1500 ms".
inline std::string text_of(duration d) {
    using namespace std::chrono_literals;
    if (d % 1s == 0s) return std::to_string(d / 1s) + " s";
    if (d % 1ms == 0s) return std::to_string(d / 1ms) + " ms";
    if (d % 1us == 0s) return std::to_string(d / 1us) + " us";
    return std::to_string(d.count()) + " ns";
}

/// Forwards a stop request to another stop source.
struct forward_stop {
    std::stop_source* to;
    void operator()() const noexcept { to->request_stop(); }
};

}  // namespace pgq::detail

namespace pgq::executor {

/// The class behind the alias `timeout`.
template <static_duration Limit, static_duration Grace, executor_policy Inner>
class basic_timeout : public decorator<Inner> {
public:
    /// The defaults come from the template arguments.
    struct settings {
        duration limit = Limit.value();
        duration grace = Grace.value();
    };
    static constexpr duration static_limit = Limit.value();
    static constexpr bool needs_stop_token = true;

    basic_timeout() = default;
    explicit basic_timeout(settings s, const Inner& inner = Inner{}) : decorator<Inner>{inner}, settings_{s} {}
    explicit basic_timeout(const Inner& inner) : decorator<Inner>{inner} {}

    class attempt final : pgq::detail::alarm {
    public:
        attempt(const basic_timeout& of, const pgq::detail::attempt_services& services)
            : of_{&of.settings_}, services_{services} {}
        attempt(const attempt&) = delete;
        attempt& operator=(const attempt&) = delete;
        ~attempt() {
            if (armed_) end();
        }

        void enter(try_scope& inside) {
            scope_ = inside;
            ends_ = of_->limit < steady_time::max() - inside.began ? inside.began + of_->limit : steady_time::max();
            stop_ = std::stop_source{};
            outer_.emplace(inside.stop, pgq::detail::forward_stop{&stop_});
            inside.stop = stop_.get_token();
            inside.must_end_by = std::min(inside.must_end_by, ends_);
            stop_requested_ = reported_ = false;
            services_.dog->arm(*this, ends_);
            armed_ = true;
        }
        std::optional<duration> leave(const try_scope&, try_result& r, steady_time now) {
            end();
            if (now < ends_) return std::nullopt;
            std::string why = "timed out after " + pgq::detail::text_of(of_->limit);
            if (r.failed() && !r.what.reason().empty()) why += ": " + r.what.reason();
            r = {.what = retry_after{{}, std::move(why)}, .has_delay = false};
            return std::nullopt;
        }

    private:
        void end() noexcept {
            armed_ = false;
            services_.dog->disarm(*this, ends_);
            outer_.reset();
            if (reported_) services_.handler_ended(services_.owner);
        }
        // The first call, at the end of the limit, fires the stop token. The second, after the grace time, reports the
        // handler.
        steady_time ring(steady_time now) noexcept override {
            if (!std::exchange(stop_requested_, true)) {
                stop_.request_stop();
                return steady_time::max() - now > of_->grace ? now + of_->grace : steady_time::max();
            }
            reported_ = true;
            services_.exceeded_timeout(services_.owner, scope_, now - scope_.began);
            return steady_time::max();
        }

        const settings* of_;
        pgq::detail::attempt_services services_;
        try_scope scope_{};
        steady_time ends_{};
        std::stop_source stop_{std::nostopstate};
        std::optional<std::stop_callback<pgq::detail::forward_stop>> outer_{};
        bool armed_ = false;
        // Only the watchdog thread writes these while the alarm is armed; after disarm() this thread may read them.
        bool stop_requested_ = false;
        bool reported_ = false;
    };

private:
    settings settings_{};
};

}  // namespace pgq::executor

namespace pgq::detail {

using wrong_argument_of_timeout = wrong_argument_of<is_executor, is_grace>;

template <static_duration Limit, class... Args>
struct timeout_of {
    using type = invalid_decorator<typename wrong_argument_of_timeout::template among<Args...>::type>;
};
template <static_duration Limit, class... Args>
    requires(std::is_void_v<typename wrong_argument_of_timeout::template among<Args...>::type>)
struct timeout_of<Limit, Args...> {
    using grace = pick_t<is_grace, executor::grace<std::chrono::seconds{5}>, Args...>;
    using type = executor::basic_timeout<Limit, static_duration{grace::value},
                                         pick_t<is_executor, executor::default_inner, Args...>>;
};

}  // namespace pgq::detail

namespace pgq::executor {

/// Limits the time of a handler: `timeout<30s>`, `timeout<30s, grace<1s>, retrying<backoff::fixed>>`.
///
/// When the time is over, the stop token of the handler fires. From then on the result of the handler is ignored, even
/// "done": the attempt fails with "timed out after 30 s", and the job runs again after its back-off. A handler can see
/// the end of its time in `context::must_end_by()`. A handler without a context does not compile with a timeout, unless
/// it runs in a `process`.
///
/// A handler that still runs after the `grace` time (default 5 s) is reported as `event::handler_exceeded_timeout`.
/// From then until it ends, a `thread_pool` or `coroutine` executor runs one more task at once. No thread is ever
/// killed.
///
/// A thread of the worker fires the token, and callbacks that the handler registers with it run there, so they must be
/// fast. Around `retrying` the time limits all tries together; inside it, each try. An object can have other times than
/// its type: `timeout<30s>{{.limit = t}}`.
template <static_duration Limit, class... Policies>
using timeout = typename pgq::detail::timeout_of<Limit, Policies...>::type;

}  // namespace pgq::executor
