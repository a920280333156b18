#pragma once

#include <pgq/compose/hand.hpp>
#include <pgq/concept/driver.hpp>
#include <pgq/error/result.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace pgq::detail {

/// How long somebody waits for a job, and of which kind.
struct waiting {
    duration timeout{};
    duration poll_interval{};
    bool filtered = false;  ///< what is there may not be what is wanted
    std::size_t job = 0;    ///< position of the job type
    std::vector<lane_id> lanes{};
};

inline result<void> check(const waiting& w) {
    using namespace std::chrono_literals;
    if (w.timeout < duration{}) return error_info{errc::invalid_option, "timeout is negative"};
    if (w.poll_interval < 1ms || w.poll_interval > 24h)
        return error_info{errc::invalid_option, "poll_interval is not between 1 ms and a day"};
    return {};
}

/// The time that is left, by this process's own clock; by the driver's, when that one runs ahead.
class time_left {
    using clock = std::chrono::steady_clock;

public:
    explicit time_left(duration timeout)
        : deadline_{clock::now() + std::min<duration>(timeout, std::chrono::hours{24 * 365 * 10})} {}

    duration operator()() const { return deadline_ - clock::now(); }
    /// A wait of `asked` that nobody has cut short began at `begun`.
    void waited(duration asked, steady_time begun) {
        const duration real = clock::now() - begun;
        if (real < asked) deadline_ -= asked - real;
    }

private:
    steady_time deadline_;
};

/// One that was idle may have lost its connection meanwhile.
template <class Driver>
auto sleeping_lookout(hand<Driver>& h, const Driver& driver, const waiting& w)
    -> decltype(h.take_lookout(driver, w.job, w.lanes)) {
    auto sleeper = h.take_lookout(driver, w.job, w.lanes);
    if (!sleeper) return sleeper;
    auto asleep = sleeper->fall_asleep();
    if (!asleep && asleep.error() == condition::transient) {
        sleeper = hand<Driver>::lookout_type::open(driver, w.lanes);
        if (!sleeper) return sleeper;
        asleep = sleeper->fall_asleep();
    }
    if (!asleep) return std::move(asleep.error());
    return sleeper;
}

/// Calls `look(next_due)` until it finds something or the time is over: at once, then when somebody says that there is a job, when a deferred
/// one becomes due, and every `poll_interval`. `look` returns a result of an optional, and says when the next deferred job is due.
///
/// One who wants only some jobs may be woken for another: then it passes the call on and does not sleep for a moment, so that two of them do
/// not wake each other for ever.
template <class Driver, class Look>
auto wait_for_job(hand<Driver>& h, const Driver& driver, const waiting& w, Look look)
    -> decltype(look(std::declval<std::optional<duration>&>())) {
    constexpr std::chrono::milliseconds moment{50};
    if (auto fine = check(w); !fine) return std::move(fine.error());
    time_left left{w.timeout};
    std::optional<duration> due;
    auto found = look(due);
    if (!found || *found || w.timeout == duration{}) return found;

    auto sleeper = sleeping_lookout(h, driver, w);
    if (!sleeper) return std::move(sleeper.error());
    for (bool asleep = true;;) {
        if (!asleep)
            if (auto said = sleeper->fall_asleep(); !said) return std::move(said.error());
        asleep = true;
        found = look(due);
        if (!found || *found || left() <= duration{}) break;

        const duration until_due = due ? std::max<duration>(*due, std::chrono::milliseconds{1}) : w.poll_interval;
        const duration span = std::min({left(), w.poll_interval, until_due});
        const auto begun = std::chrono::steady_clock::now();
        auto woken = sleeper->wait(span);
        if (!woken) return std::move(woken.error());
        if (!*woken) {
            left.waited(span, begun);
            continue;
        }
        found = look(due);
        if (!found || *found) break;
        if (!w.filtered) continue;
        asleep = false;
        if (auto passed = sleeper->leave(true); !passed) return std::move(passed.error());
        if (auto rested = sleeper->rest(std::clamp<duration>(left(), duration{}, moment)); !rested)
            return std::move(rested.error());
    }
    if (!found) {
        sleeper->retire();
        return found;
    }
    if (auto gone = sleeper->leave(found->has_value()); !gone) {
        if (*found) return found;
        return std::move(gone.error());
    }
    h.give_back(w.job, std::move(*sleeper));
    if (!*found) found = look(due);  // what a wake on its way to the sleeper was for
    return found;
}

/// The same for sessions that cannot wait: it looks once, and with a timeout an empty answer is an error.
template <class Driver, class Look>
    requires(!worker_driver<Driver>)
auto wait_for_job(hand<Driver>&, const Driver&, const waiting& w, Look look)
    -> decltype(look(std::declval<std::optional<duration>&>())) {
    if (auto fine = check(w); !fine) return std::move(fine.error());
    std::optional<duration> due;
    auto found = look(due);
    if (!found || *found || w.timeout == duration{}) return found;
    return error_info{errc::invalid_option, "the sessions of this driver cannot wait for jobs",
                      "call it with a timeout of zero, or give the queue another driver"};
}

}  // namespace pgq::detail
