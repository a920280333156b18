#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/concept/usable.hpp>
#include <pgq/error/ends_session.hpp>
#include <pgq/error/result.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace pgq::detail {

/// The session of an operator. It opens with the first call, and again with the first call after it broke.
template <class Driver>
class admin_connection {
public:
    /// `time_limit`: of each call, if it is above zero and the driver has such sessions.
    admin_connection(Driver driver, duration time_limit) : driver_{std::move(driver)}, time_limit_{time_limit} {}

    const Driver& driver() const noexcept { return driver_; }

    /// Calls `use(session)` once.
    template <class Use>
    auto with(Use use) -> decltype(use(std::declval<typename Driver::session&>())) {
        const steady_time deadline =
            time_limit_ > duration{} ? std::chrono::steady_clock::now() + time_limit_ : steady_time::max();
        if constexpr (lending_driver<Driver>) {
            auto loan = driver_.borrow();
            if (!loan) return std::move(loan.error());
            if constexpr (requires { loan->limit(); }) loan->limit().set(deadline);
            auto answer = use(loan->get());
            if (!answer && ends_session(answer.error())) loan->discard();
            return answer;
        } else {
            limit_->set(deadline);
            if (auto ready = prepare(); !ready) return std::move(ready.error());
            auto answer = use(*session_);
            if (!answer && ends_session(answer.error())) session_.reset();
            return answer;
        }
    }

private:
    result<void> prepare() {
        if (session_ && !is_usable(*session_)) session_.reset();
        if (session_) return {};
        auto opened = connect_within(driver_, session_role::client, *limit_);
        if (!opened) return std::move(opened.error());
        session_.emplace(std::move(*opened));
        return {};
    }

    Driver driver_;
    duration time_limit_;
    std::unique_ptr<call_limit> limit_ = std::make_unique<call_limit>();  // outlives the session
    std::optional<typename Driver::session> session_{};
};

}  // namespace pgq::detail
