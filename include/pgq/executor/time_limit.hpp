#pragma once

#include <pgq/concept/decorator.hpp>
#include <pgq/executor/watchdog.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
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

/// Limits the time of one attempt, or of one try in it. It is what a decorator has as its `attempt`: enter() before the
/// handler, leave() after it.
class time_limit : alarm {
public:
    time_limit(duration limit, duration grace, const attempt_services& services)
        : limit_{limit}, grace_{grace}, services_{services} {}
    time_limit(const time_limit&) = delete;
    time_limit& operator=(const time_limit&) = delete;
    ~time_limit() {
        if (armed_) end();
    }

    void enter(try_scope& inside) {
        scope_ = inside;
        ends_ = limit_ < steady_time::max() - inside.began ? inside.began + limit_ : steady_time::max();
        stop_ = std::stop_source{};
        outer_.emplace(inside.stop, forward_stop{&stop_});
        inside.stop = stop_.get_token();
        inside.must_end_by = std::min(inside.must_end_by, ends_);
        stop_requested_ = reported_ = false;
        services_.time_limits->arm(*this, ends_);
        armed_ = true;
    }
    std::optional<duration> leave(const try_scope&, try_result& r, steady_time now) {
        end();
        if (now < ends_) return std::nullopt;
        std::string why = "timed out after " + text_of(limit_);
        if (r.failed() && !r.what.reason().empty()) why += ": " + r.what.reason();
        r = {.what = retry_after{{}, std::move(why)}, .has_delay = false};
        return std::nullopt;
    }

private:
    void end() noexcept {
        armed_ = false;
        services_.time_limits->disarm(*this, ends_);
        outer_.reset();
        if (reported_) services_.handler_ended(services_.owner);
    }
    // The first call, at the end of the time, fires the stop token. The second, after the grace time, reports the
    // handler.
    steady_time ring(steady_time now) noexcept override {
        if (!std::exchange(stop_requested_, true)) {
            stop_.request_stop();
            return steady_time::max() - now > grace_ ? now + grace_ : steady_time::max();
        }
        reported_ = true;
        services_.exceeded_timeout(services_.owner, scope_, now - scope_.began);
        return steady_time::max();
    }

    duration limit_;
    duration grace_;
    attempt_services services_;
    try_scope scope_{};
    steady_time ends_{};
    std::stop_source stop_{std::nostopstate};
    std::optional<std::stop_callback<forward_stop>> outer_{};
    bool armed_ = false;
    // Only the watchdog thread writes these while the alarm is armed; after disarm() this thread may read them.
    bool stop_requested_ = false;
    bool reported_ = false;
};

}  // namespace pgq::detail
