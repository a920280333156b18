#pragma once

#include <pgq/testing/simulation/world.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/time/clock.hpp>

#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace pgq::simulation {

/// How long a call waits at most for a server that is silent.
inline constexpr duration response_timeout = std::chrono::seconds{30};

/// How often a call to the database fails: the request is lost, the answer is lost, or the request arrives after the
/// caller has given it up.
struct fault_rates {
    double lost_request = 0;
    double lost_answer = 0;
    double late_request = 0;
};

/// A process of the simulated world. What it does next waits while it is frozen and never happens after it has
/// crashed.
class process : public std::enable_shared_from_this<process> {
public:
    process(world& w, std::string name, fault_rates rates = {}) : world_{&w}, name_{std::move(name)}, rates_{rates} {}

    world& in() const noexcept { return *world_; }
    const std::string& name() const noexcept { return name_; }
    steady_time now() const { return world_->now(); }

    void at(steady_time when, std::function<void()> f) {
        world_->at(when, [self = shared_from_this(), f = std::move(f)]() mutable {
            if (self->crashed_) return;
            if (self->is_frozen()) return self->at(self->frozen_until_, std::move(f));
            f();
        });
    }
    void after(duration d, std::function<void()> f) { at(now() + d, std::move(f)); }
    /// For a handler: waits in the simulated time.
    asio::awaitable<void> sleep(duration d) {
        return asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
            [self = shared_from_this(), d](auto&& done) {
                auto shared = std::make_shared<std::decay_t<decltype(done)>>(std::forward<decltype(done)>(done));
                self->after(d, [shared] { (*shared)(); });
            },
            asio::use_awaitable);
    }

    /// A call that begins now gets no answer: calls `f` when it has noticed. That is after any time up to
    /// response_timeout, but no later than `limit` allows.
    void when_given_up(const call_limit& limit, std::function<void()> f) {
        give_up(now(), now() + world_->between({}, response_timeout), limit, std::move(f));
    }

    void crash() {
        note("crashes");
        crashed_ = true;
    }
    bool has_crashed() const noexcept { return crashed_; }
    /// Nothing of it runs for so long.
    void freeze(duration d) {
        note("freezes for " + std::to_string(d.count() / 1000000) + " ms");
        frozen_until_ = std::max(frozen_until_, now() + d);
        was_frozen_at_ = frozen_until_;
    }
    bool is_frozen() const { return now() < frozen_until_; }
    /// When the latest freeze ended or will end.
    steady_time frozen_until() const noexcept { return was_frozen_at_; }
    /// It cannot reach the database for so long.
    void cut_off(duration d) {
        note("is cut off for " + std::to_string(d.count() / 1000000) + " ms");
        cut_until_ = std::max(cut_until_, now() + d);
    }
    bool is_cut_off() const { return now() < cut_until_; }
    steady_time cut_until() const noexcept { return cut_until_; }

    fault_rates& rates() noexcept { return rates_; }
    void note(const std::string& what) const {
        if (world_->keeps_trace()) world_->note(name_ + " " + what);
    }

private:
    void give_up(steady_time begun, steady_time noticed, const call_limit& limit, std::function<void()> f) {
        const steady_time end = limit.bound(noticed, begun);
        if (now() >= end) return f();
        const auto next = std::min<steady_time>(end, now() + call_limit::check_every);
        at(next, [self = shared_from_this(), begun, noticed, &limit, f = std::move(f)] {
            self->give_up(begun, noticed, limit, f);
        });
    }

    world* world_;
    std::string name_;
    fault_rates rates_;
    bool crashed_ = false;
    steady_time frozen_until_{};
    steady_time was_frozen_at_{};
    steady_time cut_until_{};
};

}  // namespace pgq::simulation
