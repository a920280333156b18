#pragma once

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

namespace pgq {

/// When the calls of a session end at the latest, even if the server is silent. The caller owns it, and may change it
/// from any thread. A call in progress obeys the change within `check_every`.
class call_limit {
public:
    static constexpr std::chrono::milliseconds check_every{100};
    /// A call that begins at the limit or later still has so long: a server that works answers within that time.
    static constexpr std::chrono::milliseconds least{500};

    call_limit() = default;
    /// Calls end at the limit of `outer`, too. It may be null, and is not read behind the end of the last call.
    explicit call_limit(const call_limit* outer) noexcept : outer_{outer} {}

    void set(steady_time at) noexcept { at_.store(at.time_since_epoch().count(), std::memory_order_relaxed); }
    void clear() noexcept { set(steady_time::max()); }
    /// Sets it unless it is earlier already.
    void bring_forward(steady_time at) noexcept { set(std::min(at, own())); }
    steady_time at() const noexcept { return outer_ == nullptr ? own() : std::min(own(), outer_->at()); }

    /// When a call ends that began at `begun` and would end at `deadline` without the limit.
    steady_time bound(steady_time deadline, steady_time begun) const noexcept {
        return std::min(deadline, std::max<steady_time>(at(), begun + least));
    }

private:
    steady_time own() const noexcept { return steady_time{steady_time::duration{at_.load(std::memory_order_relaxed)}}; }

    std::atomic<steady_time::rep> at_{steady_time::max().time_since_epoch().count()};
    const call_limit* outer_ = nullptr;
};

/// A session whose calls obey `limit`, which must outlive it. Of a driver that has no such sessions, a usual one.
template <class Driver, class Role>
auto connect_within(const Driver& driver, Role role, const call_limit& limit) {
    if constexpr (requires { driver.connect(role, limit); }) return driver.connect(role, limit);
    else return driver.connect(role);
}

template <class Driver, class Role, class Token>
auto async_connect_within(const Driver& driver, Role role, const call_limit& limit, Token&& token) {
    if constexpr (requires { driver.async_connect(role, limit, std::forward<Token>(token)); })
        return driver.async_connect(role, limit, std::forward<Token>(token));
    else return driver.async_connect(role, std::forward<Token>(token));
}

}  // namespace pgq
