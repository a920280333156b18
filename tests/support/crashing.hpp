#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/job/revision.hpp>

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
    enum class verdict : std::uint8_t { live, crash_before, crash_after, dead };

    /// A plan without a crash.
    crash_plan() : crash_plan{0, moment::before, extent::connection} {}
    crash_plan(int call, moment when, extent what)
        : state_{std::make_shared<state>()}, call_{call}, moment_{when}, extent_{what} {}

    /// What happens to the call that begins now.
    verdict next(const char* verb) const {
        const std::lock_guard lock{state_->mutex};
        if (state_->dead) return verdict::dead;
        if (++state_->calls != call_) return verdict::live;
        state_->verb = verb;
        return moment_ == moment::before ? verdict::crash_before : verdict::crash_after;
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
    std::string struck() const {
        const std::lock_guard lock{state_->mutex};
        return state_->verb;
    }
    bool was_lost_after() const { return moment_ == moment::after && !struck().empty(); }
    bool is_of_process() const noexcept { return extent_ == extent::process; }
    /// Stops loops that would go on in a dead process.
    std::stop_token death() const { return state_->death.get_token(); }

    std::string describe() const {
        return std::string{moment_ == moment::before ? "before" : "after"} + " call " + std::to_string(call_) + " (" +
               struck() + ") of the " + (extent_ == extent::process ? "process" : "connection");
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
        if (what == crash_plan::verdict::crash_before) plan_.strike();
        if (what == crash_plan::verdict::crash_before || what == crash_plan::verdict::dead) return session::lost();
        auto opened = inner_.connect(role);
        if (!opened) return std::move(opened.error());
        session made{std::move(*opened), plan_};
        if (what != crash_plan::verdict::crash_after) return made;
        plan_.strike();
        return session::lost();
    }
    pgq::result<void> install() const { return inner_.install(); }

private:
    Driver inner_{};
    crash_plan plan_{};
};

template <class Driver>
class crashing<Driver>::session {
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

    auto lanes(std::string_view queue, std::span<const pgq::lane_name> names) {
        return on("lanes", [&](auto& s) { return s.lanes(queue, names); });
    }
    auto limits(std::string_view queue, std::span<const pgq::lane_limit> declared) {
        return on("limits", [&](auto& s) { return s.limits(queue, declared); });
    }
    auto change_limit(std::string_view queue, const pgq::lane_limit& limit) {
        return on("change_limit", [&](auto& s) { return s.change_limit(queue, limit); });
    }
    auto enqueue(const pgq::enqueue_request& r, std::vector<pgq::job_id>& ids) {
        return told("enqueue", ids, [&](auto& s, auto& out) { return s.enqueue(r, out); });
    }
    auto exchange(const pgq::exchange_request& r, pgq::exchange_reply& reply) {
        return told("exchange", reply, [&](auto& s, auto& out) { return s.exchange(r, out); });
    }
    auto take(const pgq::take_request& r, pgq::take_reply& reply) {
        return told("take", reply, [&](auto& s, auto& out) { return s.take(r, out); });
    }
    auto keep(const pgq::taken_record& job, std::string_view reason) {
        return on("keep", [&](auto& s) { return s.keep(job, reason); });
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

    auto wait(pgq::duration timeout) {
        return on("wait", [&](auto& s) { return s.wait(timeout); });
    }
    void interrupt() noexcept {
        const std::lock_guard lock{core_->mutex};
        if (core_->inner) core_->inner->interrupt();
    }

    auto register_worker(const pgq::worker_info& info) {
        return on("register_worker", [&](auto& s) { return s.register_worker(info); });
    }
    auto beat(pgq::worker_id id) {
        return on("beat", [&](auto& s) { return s.beat(id); });
    }
    auto rescue() {
        return on("rescue", [](auto& s) { return s.rescue(); });
    }
    auto retire(pgq::worker_id id) {
        return on("retire", [&](auto& s) { return s.retire(id); });
    }
    auto leases_of(pgq::worker_id id) {
        return on("leases_of", [&](auto& s) { return s.leases_of(id); });
    }
    auto give_back(std::span<const pgq::lease_ref> leases) {
        return on("give_back", [&](auto& s) { return s.give_back(leases); });
    }

    auto enqueue_tracked(const pgq::tracked_request& r, std::vector<pgq::enqueued_job>& jobs) {
        return told("enqueue_tracked", jobs, [&](auto& s, auto& out) { return s.enqueue_tracked(r, out); });
    }
    auto watch(std::span<const pgq::job_id> ids, pgq::duration keep, std::vector<pgq::ended_job>& ended) {
        return told("watch", ended, [&](auto& s, auto& out) { return s.watch(ids, keep, out); });
    }
    auto leases_now(pgq::worker_id id) {
        return on("leases_now", [&](auto& s) { return s.leases_now(id); });
    }
    bool stop_asked() noexcept { return core_->inner && core_->inner->stop_asked(); }
    auto sweep() {
        return on("sweep", [](auto& s) { return s.sweep(); });
    }

    auto find(const pgq::find_request& r, std::vector<pgq::job_id>& found) {
        return told("find", found, [&](auto& s, auto& out) { return s.find(r, out); });
    }
    auto failures(pgq::job_id id) {
        return on("failures", [&](auto& s) { return s.failures(id); });
    }
    auto open_jobs(pgq::lane_id lane, std::int64_t most) {
        return on("open_jobs", [&](auto& s) { return s.open_jobs(lane, most); });
    }
    auto set_dead_letters(std::span<const pgq::lane_id> lanes, std::span<const pgq::lane_id> to) {
        return on("set_dead_letters", [&](auto& s) { return s.set_dead_letters(lanes, to); });
    }

    auto revise(const pgq::revision& r) {
        return on("revise", [&](auto& s) { return s.revise(r); });
    }
    auto progress_of(pgq::job_id id) {
        return on("progress_of", [&](auto& s) { return s.progress_of(id); });
    }

    auto cancel(std::span<const pgq::job_id> ids) {
        return on("cancel", [&](auto& s) { return s.cancel(ids); });
    }
    auto requeue(std::span<const pgq::job_id> ids) {
        return on("requeue", [&](auto& s) { return s.requeue(ids); });
    }
    auto held(pgq::lane_id lane, std::size_t limit) {
        return on("held", [&](auto& s) { return s.held(lane, limit); });
    }
    auto counts(pgq::lane_id lane) {
        return on("counts", [&](auto& s) { return s.counts(lane); });
    }

private:
    struct core {
        std::mutex mutex{};  // guards the destruction of `inner`, which another thread may interrupt
        std::optional<inner_session> inner{};
    };

    template <class Call>
    std::invoke_result_t<Call&, inner_session&> on(const char* verb, Call call) {
        if (!core_->inner) return lost();
        const auto what = plan_.next(verb);
        if (what == crash_plan::verdict::live) return call(*core_->inner);
        if (what == crash_plan::verdict::crash_after) (void)call(*core_->inner);
        {
            const std::lock_guard lock{core_->mutex};
            core_->inner.reset();
        }
        if (what != crash_plan::verdict::dead) plan_.strike();
        return lost();
    }
    // If the answer is lost, `out` does not change.
    template <class Out, class Call>
    pgq::result<void> told(const char* verb, Out& out, Call call) {
        Out mine{};
        auto answer = on(verb, [&](auto& s) { return call(s, mine); });
        if (answer) out = std::move(mine);
        return answer;
    }

    std::unique_ptr<core> core_;
    crash_plan plan_;
};

}  // namespace test
