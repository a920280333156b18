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

/// "30 s", "1500 ms": the largest unit in which it is a whole number.
inline std::string text_of(duration d) {
    using namespace std::chrono_literals;
    if (d % 1s == 0s) return std::to_string(d / 1s) + " s";
    if (d % 1ms == 0s) return std::to_string(d / 1ms) + " ms";
    if (d % 1us == 0s) return std::to_string(d / 1us) + " us";
    return std::to_string(d.count()) + " ns";
}

/// Passes a request to stop on.
struct pass_on_stop {
    std::stop_source* to;
    void operator()() const noexcept { to->request_stop(); }
};

}  // namespace pgq::detail

namespace pgq::executor {

/// See `timeout`, which is how it is named.
template <static_duration Limit, static_duration Grace, executor_policy Inner>
class basic_timeout : public decorator<Inner> {
public:
    /// What the type says, unless an object says otherwise.
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
            outer_.emplace(inside.stop, pgq::detail::pass_on_stop{&stop_});
            inside.stop = stop_.get_token();
            inside.must_end_by = std::min(inside.must_end_by, ends_);
            told_ = overran_ = false;
            services_.dog->arm(*this, ends_);
            armed_ = true;
        }
        std::optional<duration> leave(const try_scope&, try_result& r, steady_time now) {
            end();
            if (now < ends_) return std::nullopt;
            std::string why = "timed out after " + pgq::detail::text_of(of_->limit);
            if (r.failed() && !r.what.reason().empty()) why += ": " + r.what.reason();
            r = {.what = retry_after{{}, std::move(why)}, .names_delay = false};
            return std::nullopt;
        }

    private:
        void end() noexcept {
            armed_ = false;
            services_.dog->disarm(*this, ends_);
            outer_.reset();
            if (overran_) services_.came_back(services_.owner);
        }
        // First it is time to stop, then to tell.
        steady_time ring(steady_time now) noexcept override {
            if (!std::exchange(told_, true)) {
                stop_.request_stop();
                return steady_time::max() - now > of_->grace ? now + of_->grace : steady_time::max();
            }
            overran_ = true;
            services_.overran(services_.owner, scope_, now - scope_.began);
            return steady_time::max();
        }

        const settings* of_;
        pgq::detail::attempt_services services_;
        try_scope scope_{};
        steady_time ends_{};
        std::stop_source stop_{std::nostopstate};
        std::optional<std::stop_callback<pgq::detail::pass_on_stop>> outer_{};
        bool armed_ = false;
        bool told_ = false;     // by the watchdog, or while it does not watch
        bool overran_ = false;  // the same
    };

private:
    settings settings_{};
};

}  // namespace pgq::executor

namespace pgq::detail {

using stray_of_timeout = stray_of_kinds<is_executor, is_grace>;

template <static_duration Limit, class... Args>
struct timeout_of {
    using type = ill_decorator<typename stray_of_timeout::template among<Args...>::type>;
};
template <static_duration Limit, class... Args>
    requires(std::is_void_v<typename stray_of_timeout::template among<Args...>::type>)
struct timeout_of<Limit, Args...> {
    using grace = pick_t<is_grace, executor::grace<std::chrono::seconds{5}>, Args...>;
    using type = executor::basic_timeout<Limit, static_duration{grace::value},
                                         pick_t<is_executor, executor::default_inner, Args...>>;
};

}  // namespace pgq::detail

namespace pgq::executor {

/// Gives a handler so long, and no longer: `timeout<30s>`, `timeout<30s, grace<1s>, retrying<backoff::fixed>>`.
///
/// At the end of the time the handler's stop token fires. Whatever it returns or throws after that moment, be it "done", is not
/// trusted: the attempt failed with "timed out after 30 s", and the job runs again after its backoff. A handler without a
/// context could not notice, so it does not compile, unless it runs in a process of its own. `context::must_end_by()` tells it.
///
/// One that goes on for a `grace` (5 s when not said) after that is reported as `event::handler_overran`; from then until it
/// ends the executor runs one more at once, where it can (`thread_pool`, `coroutine`). No thread is ever ended by force.
///
/// The token fires on a thread of the worker's, so what the handler attached to it runs there: be quick. Around `retrying` the
/// time is for all tries together, inside of it for each. An object takes other times than the type: `timeout<30s>{{.limit = t}}`.
template <static_duration Limit, class... Policies>
using timeout = typename pgq::detail::timeout_of<Limit, Policies...>::type;

}  // namespace pgq::executor
