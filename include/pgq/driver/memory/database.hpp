#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/driver/memory/table/clock.hpp>
#include <pgq/driver/memory/table/tables.hpp>
#include <pgq/driver/memory/table/waiter.hpp>
#include <pgq/time/clock.hpp>

#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// What all sessions of one memory driver share: the tables and one mutex.
class database {
public:
    explicit database(in_memory::clock c) { tables_.clock = std::move(c); }

    static std::shared_ptr<database> make(in_memory::clock c) {
        auto made = std::make_shared<database>(std::move(c));
        if (const auto& manual = made->tables_.clock.manual())
            made->clock_watch_ = manual->watch([weak = std::weak_ptr<database>{made}] {
                if (const auto db = weak.lock()) db->wake_waiting_sessions();
            });
        return made;
    }

    /// Calls `verb(tables&)` with the mutex held. Then wakes a sleeping worker for each lane that has changed.
    template <class Verb>
    auto run(Verb verb) {
        const std::lock_guard lock{mutex_};
        if constexpr (std::is_void_v<std::invoke_result_t<Verb&, tables&>>) {
            verb(tables_);
            tables_.wake_touched();
        } else {
            auto answer = verb(tables_);
            tables_.wake_touched();
            return answer;
        }
    }

    wake_reason wait(waiter& session, duration timeout) {
        std::unique_lock lock{mutex_};
        waiting_.push_back(&session);
        // A worker knows when the next job is due, and a scheduler the next tick. They do not know that somebody has
        // moved a manual clock. A scheduler has read it before it waits, so moves since its latest wait count.
        const time_point began = session.clock_seen.value_or(tables_.clock.now());
        const auto due_by_move = [&] {
            if (!tables_.clock.manual() || tables_.clock.now() == began) return false;
            const time_point now = tables_.clock.now();
            return tables_.jobs.next_due(now) == duration::zero() ||
                   (session.follows_schedules && tables_.schedules.may_be_due(now));
        };
        bool moved = false;
        tables_.clock.wait(lock, session.changed, timeout,
                           [&] { return session.must_return() || (moved = due_by_move()); });
        std::erase(waiting_, &session);
        if (session.clock_seen) session.clock_seen = tables_.clock.now();
        if (std::exchange(session.interrupted, false)) return wake_reason::interrupted;
        const bool work_ready = std::exchange(session.work_ready, false);
        const bool job_changed = std::exchange(session.job_changed, false);
        return work_ready || job_changed || moved ? wake_reason::notified : wake_reason::timeout;
    }
    bool would_wake(const waiter& session) noexcept {
        const std::lock_guard lock{mutex_};
        return session.must_return();
    }
    /// May be called from any thread.
    void interrupt(waiter& session) noexcept {
        const std::lock_guard lock{mutex_};
        session.interrupted = true;
        session.changed.notify_one();
    }
    /// Whether a job of the session must stop. The next call returns false until there is another request.
    bool take_stop_request(waiter& session) noexcept {
        const std::lock_guard lock{mutex_};
        return std::exchange(session.stop_requested, false);
    }
    void remove_session(const waiter& session) noexcept {
        const std::lock_guard lock{mutex_};
        tables_.workers.remove_session(session);
    }

private:
    void wake_waiting_sessions() {
        const std::lock_guard lock{mutex_};
        for (waiter* w : waiting_) w->changed.notify_one();
    }

    std::shared_ptr<const void> clock_watch_{};
    std::mutex mutex_{};
    tables tables_{};
    std::vector<waiter*> waiting_{};
};

}  // namespace pgq::driver::in_memory
