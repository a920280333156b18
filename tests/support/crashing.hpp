#pragma once

#include <pgq/concept/driver.hpp>

#include <pgq/protocol/revision.hpp>
#include <support/forwarding_session.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace test {

/// Says at which of its database calls a program crashes. Calls count from 1 over all its sessions, including
/// connecting. Copies share one plan. Any thread may use it.
class crash_plan {
public:
    enum class moment : std::uint8_t {
        before,  ///< the call does not reach the database
        after,   ///< the database executes the call, and the answer is lost
    };
    enum class extent : std::uint8_t {
        connection,  ///< one session breaks, and the program can open others
        process,     ///< all sessions break, and the program cannot open others
    };
    enum class action : std::uint8_t { live, crash_before, crash_after, dead };

    /// A plan without a crash.
    crash_plan() : crash_plan{0, moment::before, extent::connection} {}
    crash_plan(int call, moment when, extent what)
        : state_{std::make_shared<state>()}, call_{call}, moment_{when}, extent_{what} {}

    /// What happens to the call that begins now.
    action next(const char* verb) const {
        const std::lock_guard lock{state_->mutex};
        if (state_->dead) return action::dead;
        if (++state_->calls != call_) return action::live;
        state_->verb = verb;
        return moment_ == moment::before ? action::crash_before : action::crash_after;
    }
    /// The crash has happened.
    void strike() const {
        {
            const std::lock_guard lock{state_->mutex};
            state_->dead = extent_ == extent::process;
        }
        if (extent_ == extent::process) state_->death.request_stop();
    }

    bool is_dead() const {
        const std::lock_guard lock{state_->mutex};
        return state_->dead;
    }
    /// The verb that crashed; empty if none has crashed.
    std::string failed_verb() const {
        const std::lock_guard lock{state_->mutex};
        return state_->verb;
    }
    bool was_lost_after() const { return moment_ == moment::after && !failed_verb().empty(); }
    bool is_of_process() const noexcept { return extent_ == extent::process; }
    /// Stops loops that would go on in a dead process.
    std::stop_token death() const { return state_->death.get_token(); }

    std::string describe() const {
        return std::string{moment_ == moment::before ? "before" : "after"} + " call " + std::to_string(call_) + " (" +
               failed_verb() + ") of the " + (extent_ == extent::process ? "process" : "connection");
    }

private:
    struct state {
        std::mutex mutex{};
        int calls = 0;
        bool dead = false;
        std::string verb{};
        std::stop_source death{};
    };

    std::shared_ptr<state> state_;
    int call_;
    moment moment_;
    extent extent_;
};

/// A driver whose sessions break as the plan says. Until then they behave like those of the inner driver.
template <class Driver>
class crashing {
    using inner_session = typename Driver::session;

public:
    using policy_category = pgq::driver_tag;
    class session;

    crashing() = default;
    crashing(Driver inner, crash_plan plan) : inner_{std::move(inner)}, plan_{std::move(plan)} {}

    pgq::result<session> connect(pgq::session_role role) const {
        const auto what = plan_.next("connect");
        if (what == crash_plan::action::crash_before) plan_.strike();
        if (what == crash_plan::action::crash_before || what == crash_plan::action::dead) return session::lost();
        auto opened = inner_.connect(role);
        if (!opened) return std::move(opened.error());
        session made{std::move(*opened), plan_};
        if (what != crash_plan::action::crash_after) return made;
        plan_.strike();
        return session::lost();
    }
    pgq::result<void> install() const { return inner_.install(); }

private:
    Driver inner_{};
    crash_plan plan_{};
};

template <class Driver>
class crashing<Driver>::session : public forwarding_session<session> {
public:
    session(inner_session s, crash_plan plan) : core_{std::make_unique<core>()}, plan_{std::move(plan)} {
        core_->inner.emplace(std::move(s));
    }

    static pgq::error_info lost() { return {pgq::errc::connection_lost, "the test broke the connection"}; }

    bool usable() {
        if (!core_->inner || plan_.is_dead()) return false;
        if constexpr (requires(inner_session & s) { s.usable(); }) return core_->inner->usable();
        else return true;
    }

    auto begin() {
        return on("begin", [](auto& s) { return s.begin(); });
    }
    auto commit() {
        return on("commit", [](auto& s) { return s.commit(); });
    }
    auto rollback() {
        return on("rollback", [](auto& s) { return s.rollback(); });
    }
    auto savepoint() {
        return on("savepoint", [](auto& s) { return s.savepoint(); });
    }
    auto rollback_to_savepoint() {
        return on("rollback_to_savepoint", [](auto& s) { return s.rollback_to_savepoint(); });
    }
    auto release_savepoint() {
        return on("release_savepoint", [](auto& s) { return s.release_savepoint(); });
    }

    void interrupt() noexcept {
        const std::lock_guard lock{core_->mutex};
        if (core_->inner) core_->inner->interrupt();
    }
    bool take_stop_request() noexcept { return core_->inner && core_->inner->take_stop_request(); }

private:
    struct core {
        std::mutex mutex{};  // guards the destruction of `inner`, which another thread may interrupt
        std::optional<inner_session> inner{};
    };

    friend forwarding_session<session>;

    template <class Call>
    std::invoke_result_t<Call&, inner_session&> on(const char* verb, Call call) {
        if (!core_->inner) return lost();
        const auto what = plan_.next(verb);
        if (what == crash_plan::action::live) return call(*core_->inner);
        if (what == crash_plan::action::crash_after) (void)call(*core_->inner);
        {
            const std::lock_guard lock{core_->mutex};
            core_->inner.reset();
        }
        if (what != crash_plan::action::dead) plan_.strike();
        return lost();
    }
    // If the answer is lost, `out` does not change.
    template <class Out, class Call>
    pgq::result<void> forward_reply(const char* verb, Out& out, Call call) {
        Out mine{};
        auto answer = on(verb, [&](auto& s) { return call(s, mine); });
        if (answer) out = std::move(mine);
        return answer;
    }

    std::unique_ptr<core> core_;
    crash_plan plan_;
};

}  // namespace test
