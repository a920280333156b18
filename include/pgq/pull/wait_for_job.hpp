#pragma once

#include <pgq/error/result.hpp>
#include <pgq/pull/session_cache.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace pgq::detail {

/// How long a call waits for a job, and of which type.
struct waiting {
    duration timeout{};
    duration poll_interval{};
    bool filtered = false;  ///< the call has a filter: it may be woken for a job that does not match
    std::size_t job = 0;    ///< position of the job type
    std::vector<lane_id> lanes{};
    steady_time give_up_at = steady_time::max();  ///< when the call ends even if the server is silent
};

/// When a call ends even if the server has not answered: a second after its timeout. In this second the call looks once
/// more, waits for other calls of the queue object, and a slow server can answer. A job that the server takes for a
/// call that has ended is lost. Never, if the timeout is zero.
inline steady_time give_up_at(duration timeout, steady_time now) noexcept {
    if (timeout <= duration{}) return steady_time::max();
    return now + std::min<duration>(timeout, std::chrono::hours{24 * 365}) + std::chrono::seconds{1};
}

inline result<void> check(const waiting& w) {
    using namespace std::chrono_literals;
    if (w.timeout < duration{}) return error_info{errc::invalid_option, "timeout is negative"};
    if (w.poll_interval < 1ms || w.poll_interval > 24h)
        return error_info{errc::invalid_option, "poll_interval is not between 1 ms and a day"};
    return {};
}

/// The time that is left, by the clock of this process, or by the driver's clock if that runs ahead.
class time_left {
    using clock = std::chrono::steady_clock;

public:
    explicit time_left(duration timeout)
        : deadline_{clock::now() + std::min<duration>(timeout, std::chrono::hours{24 * 365 * 10})} {}

    duration operator()() const { return deadline_ - clock::now(); }
    /// A wait for `asked` began at `begun` and timed out.
    void waited(duration asked, steady_time begun) {
        const duration real = clock::now() - begun;
        if (real < asked) deadline_ -= asked - real;
    }

private:
    steady_time deadline_;
};

/// A listener that is asleep. An idle one may have lost its connection; then a new one is opened.
template <class Driver>
auto sleeping_listener(session_cache<Driver>& h, const Driver& driver, const waiting& w)
    -> decltype(h.take_listener(driver, w.job, w.lanes)) {
    auto listener = h.take_listener(driver, w.job, w.lanes, w.give_up_at);
    if (!listener) return listener;
    auto asleep = listener->fall_asleep();
    if (!asleep && asleep.error() == condition::transient) {
        listener = session_cache<Driver>::listener_type::open(driver, w.lanes, w.give_up_at);
        if (!listener) return listener;
        asleep = listener->fall_asleep();
    }
    if (!asleep) return std::move(asleep.error());
    return listener;
}

/// Calls `look(next_due)` until it finds a job or the time is over: at once, after each wake-up, when a deferred job
/// becomes due, and every `poll_interval`. `look` returns a result of an optional, and sets when the next deferred job
/// is due.
///
/// A call with a filter may be woken for a job that does not pass. Then it wakes another worker and stays awake for 50
/// ms, so that two such calls do not wake each other without end.
template <class Driver, class Look>
auto wait_for_job(session_cache<Driver>& h, const Driver& driver, const waiting& w, Look look)
    -> decltype(look(std::declval<std::optional<duration>&>())) {
    constexpr std::chrono::milliseconds time_awake{50};
    if (auto valid = check(w); !valid) return std::move(valid.error());
    time_left left{w.timeout};
    std::optional<duration> due;
    auto found = look(due);
    if (!found || *found || w.timeout == duration{}) return found;

    auto listener = sleeping_listener(h, driver, w);
    if (!listener) return std::move(listener.error());
    for (bool asleep = true;;) {
        if (!asleep)
            if (auto subscribed = listener->fall_asleep(); !subscribed) return std::move(subscribed.error());
        asleep = true;
        found = look(due);
        if (!found || *found || left() <= duration{}) break;

        const duration until_due = due ? std::max<duration>(*due, std::chrono::milliseconds{1}) : w.poll_interval;
        const duration span = std::min({left(), w.poll_interval, until_due});
        const auto begun = std::chrono::steady_clock::now();
        auto woken = listener->wait(span);
        if (!woken) return std::move(woken.error());
        if (!*woken) {
            left.waited(span, begun);
            continue;
        }
        found = look(due);
        if (!found || *found) break;
        if (!w.filtered) continue;
        asleep = false;
        if (auto unsubscribed = listener->leave(true); !unsubscribed) return std::move(unsubscribed.error());
        if (auto paused = listener->rest(std::clamp<duration>(left(), duration{}, time_awake)); !paused)
            return std::move(paused.error());
    }
    if (!found) {
        listener->retire();
        return found;
    }
    if (auto unsubscribed = listener->leave(found->has_value()); !unsubscribed) {
        if (*found) return found;
        return std::move(unsubscribed.error());
    }
    h.give_back(w.job, std::move(*listener));
    if (!*found) found = look(due);  // a wake-up may have come in between
    return found;
}

/// The same for sessions that cannot wait: calls `look` once. With a timeout, an empty answer is an error.
template <class Driver, class Look>
    requires(!worker_driver<Driver>)
auto wait_for_job(session_cache<Driver>&, const Driver&, const waiting& w, Look look)
    -> decltype(look(std::declval<std::optional<duration>&>())) {
    if (auto valid = check(w); !valid) return std::move(valid.error());
    std::optional<duration> due;
    auto found = look(due);
    if (!found || *found || w.timeout == duration{}) return found;
    return error_info{errc::invalid_option, "the sessions of this driver cannot wait for jobs",
                      "call it with a timeout of zero, or give the queue another driver"};
}

}  // namespace pgq::detail
