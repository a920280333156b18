#pragma once

#include <pgq/client/completion_waiter.hpp>
#include <pgq/concept/driver.hpp>
#include <pgq/concept/usable.hpp>
#include <pgq/detail/unit_random.hpp>
#include <pgq/diagnostic/calls.hpp>
#include <pgq/error/condition.hpp>
#include <pgq/error/ends_session.hpp>
#include <pgq/error/result.hpp>
#include <pgq/fsm/reconnect.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

namespace pgq::detail {

/// Waits until jobs have ended, for all threads that use one queue object, on one session.
///
/// One of the waiting threads, the leader, asks the database for the jobs of all waiters and listens for a
/// notification. When the leader's own jobs have ended, another thread becomes the leader. An async_wait() has no
/// waiting thread: a thread of the watcher waits for it, which the first async_wait() starts.
template <class Driver>
class completion_watcher {
    using clock = std::chrono::steady_clock;

public:
    using answer = completion_waiter::answer_type;

    explicit completion_watcher(const Driver& driver) : driver_{&driver} {}
    completion_watcher(const completion_watcher&) = delete;
    completion_watcher& operator=(const completion_watcher&) = delete;
    /// Each async_wait() that has not completed completes with errc::closed.
    ~completion_watcher() {
        {
            const std::lock_guard lock{mutex_};
            closed_ = true;
            limit_.set(clock::now());
            // The placeholder driver of a queue type that does not compile has no such member.
            if constexpr (requires(typename Driver::session & s) { s.interrupt(); })
                if (session_) session_->interrupt();
        }
        changed_.notify_all();
        if (thread_.joinable()) thread_.join();
    }

    /// Blocks until all jobs have ended. At `deadline` it returns errc::timeout, or the error of the latest query if
    /// that failed. The answer is in the order of `ids`. `keep`: how long the database keeps their outcomes at least.
    answer wait(std::span<const job_id> ids, steady_time deadline, duration keep) {
        if constexpr (!diagnostic::require_worker_session<Driver>()) return errc::invalid_option;
        else return wait_for(ids, deadline, keep);
    }

    /// A new number for async_wait() and cancel_wait().
    std::uint64_t next_wait_id() {
        const std::lock_guard lock{mutex_};
        return ++last_wait_id_;
    }
    /// The same as wait(), but returns at once. The watcher's thread calls `done` with the answer; `done` must not
    /// block.
    void async_wait(std::uint64_t wait_id, std::span<const job_id> ids, steady_time deadline, duration keep,
                    std::function<void(answer)> done) {
        const std::lock_guard lock{mutex_};
        auto& mine = async_waits_.emplace_back(std::make_unique<async_waiter>(
            completion_waiter{ids, deadline, keep, clock::now()}, wait_id, std::move(done)));
        mine->here = add(mine->me);
        if (thread_leads_) limit_.bring_forward(until(mine->me));
        if (!thread_.joinable()) thread_ = std::thread{[this] { serve_async_waits(); }};
        changed_.notify_all();
    }
    /// Completes that async_wait() with the error `why`, unless `done` is being called already.
    void cancel_wait(std::uint64_t wait_id, error_info why) {
        const std::lock_guard lock{mutex_};
        for (auto& a : async_waits_)
            if (a->wait_id == wait_id) a->me.refuse(why);
        if (thread_leads_) limit_.bring_forward(clock::now() + std::chrono::seconds{1});
        if (has_leader_ && session_) session_->interrupt();
        changed_.notify_all();
    }

private:
    using position = typename std::list<completion_waiter*>::iterator;

    struct async_waiter {
        async_waiter(completion_waiter w, std::uint64_t id, std::function<void(answer)> d)
            : me{std::move(w)}, wait_id{id}, done{std::move(d)} {}

        completion_waiter me;
        std::uint64_t wait_id;
        std::function<void(answer)> done;
        position here{};
    };

    position add(completion_waiter& w) {
        failure_.reset();
        if (has_leader_ && session_) session_->interrupt();  // the leader has to ask for these jobs, too
        return waiters_.insert(waiters_.end(), &w);
    }
    steady_time until(const completion_waiter& w) const noexcept { return w.until(failure_.has_value()); }
    answer wait_for(std::span<const job_id> ids, steady_time deadline, duration keep) {
        completion_waiter me{ids, deadline, keep, clock::now()};
        std::unique_lock lock{mutex_};
        const auto here = add(me);
        while (!is_over(me)) {
            if (!has_leader_) wait_as_leader(lock, me, until(me));
            else changed_.wait_until(lock, until(me), [&] { return !has_leader_ || me.is_answered(); });
        }
        waiters_.erase(here);
        changed_.notify_all();
        return me.answer(failure_);
    }

    bool is_over(const completion_waiter& w) const noexcept { return w.is_over(clock::now(), failure_.has_value()); }

    // The watcher's thread, for async_wait(): it leads like a waiting thread, for the first of them.
    void serve_async_waits() {
        std::unique_lock lock{mutex_};
        for (;;) {
            const bool closing = closed_;
            if (closing)
                for (auto& a : async_waits_) a->me.refuse(error_info{errc::closed, "the queue object is gone"});
            complete_async_waits(lock);
            if (closing) return;
            if (closed_) continue;  // closed while `done` was called: the waits that are left get errc::closed
            if (async_waits_.empty()) changed_.wait(lock, [this] { return closed_ || !async_waits_.empty(); });
            else if (!has_leader_) lead_async_round(lock);
            else changed_.wait_until(lock, next_deadline());
        }
    }
    void lead_async_round(std::unique_lock<std::mutex>& lock) {
        thread_leads_ = true;
        wait_as_leader(lock, async_waits_.front()->me, next_deadline());
        thread_leads_ = false;
    }
    void complete_async_waits(std::unique_lock<std::mutex>& lock) {
        for (auto a = async_waits_.begin(); a != async_waits_.end();) {
            if (!is_over((*a)->me)) {
                ++a;
                continue;
            }
            waiters_.erase((*a)->here);
            const auto over = std::move(*a);
            async_waits_.erase(a);
            auto answered = over->me.answer(failure_);
            lock.unlock();
            over->done(std::move(answered));
            lock.lock();
            a = async_waits_.begin();  // the list may have changed meanwhile
        }
    }
    steady_time next_deadline() const noexcept {
        steady_time next = steady_time::max();
        for (const auto& a : async_waits_) next = std::min(next, until(a->me));
        return next;
    }

    // One round of the leader, whose own waiter is `me`: asks the database for the jobs of all waiters, then waits for
    // a notification if jobs of `me` are open. If the connection broke, waits before the next round opens another. The
    // server has time until `give_up_at`.
    void wait_as_leader(std::unique_lock<std::mutex>& lock, completion_waiter& me, steady_time give_up_at) {
        has_leader_ = true;
        limit_.set(give_up_at);
        std::vector<job_id> ids;
        duration keep{};
        steady_time until = steady_time::max();
        for (const completion_waiter* w : waiters_) {
            ids.insert(ids.end(), w->open().begin(), w->open().end());
            keep = std::max(keep, w->keep());
            until = std::min(until, w->deadline());
        }
        lock.unlock();
        std::sort(ids.begin(), ids.end());
        ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
        std::vector<ended_job> ended;
        const auto asked = query(ids, keep, ended);
        lock.lock();
        update_waiters(asked, ids, ended);
        const bool all_asked = std::all_of(waiters_.begin(), waiters_.end(), [](auto* w) { return w->was_asked(); });
        if (asked && !me.open().empty() && all_asked && session_) {
            const auto pause = std::min<duration>(longest_wait_, until - clock::now());
            longest_wait_ = std::min<duration>(longest_wait_ * 2, std::chrono::seconds{1});
            lock.unlock();
            if (pause > duration{}) wait_for_notification(pause);
            lock.lock();
        } else if (!asked && may_pass(*failure_) && !me.open().empty() && !closed_) {
            const auto pause = std::min<duration>(retry_.failed(unit_random()), until - clock::now());
            changed_.wait_for(lock, std::max(pause, duration{}));
        }
        has_leader_ = false;
        changed_.notify_all();
    }

    result<void> query(const std::vector<job_id>& ids, duration keep, std::vector<ended_job>& ended) {
        drop_closed_session();
        if (!session_) {
            auto opened = connect_within(*driver_, session_role::client, limit_);
            if (!opened) return opened.error();
            const std::lock_guard lock{mutex_};
            session_.emplace(std::move(*opened));
        }
        auto watched = session_->watch(ids, keep, ended);
        if (!watched && ends_session(watched.error())) {
            const std::lock_guard lock{mutex_};
            session_.reset();
        }
        return watched;
    }

    // The server may have closed it while nobody waited. A wait without time left could not repeat its query.
    void drop_closed_session() {
        if (!session_ || is_usable(*session_)) return;
        const std::lock_guard lock{mutex_};
        session_.reset();
    }

    // If no worker runs, nobody else ends the jobs that have expired. So the third wait in a row without a notification
    // does it, and each later one.
    void wait_for_notification(duration pause) {
        const auto woken = session_->wait(pause);
        if (woken && *woken == wake_reason::notified) longest_wait_ = first_wait;
        const bool must_expire =
            woken && *woken == wake_reason::timeout && longest_wait_ >= std::chrono::milliseconds{500};
        if (woken && (!must_expire || session_->expire_and_purge())) return;
        const std::lock_guard lock{mutex_};
        session_.reset();
    }

    void update_waiters(const result<void>& asked, const std::vector<job_id>& ids, std::vector<ended_job>& ended) {
        failure_.reset();
        if (!asked) failure_ = asked.error();
        else retry_.succeeded();
        std::sort(ended.begin(), ended.end(), has_lower_id);
        const bool fatal = !asked && !may_pass(asked.error());
        for (completion_waiter* w : waiters_) {
            if (fatal) w->refuse(asked.error());
            w->update(ids, ended);
        }
    }

    static bool may_pass(const error_info& e) noexcept {
        return ends_session(e) || e == condition::transient || e == condition::contention;
    }

    static constexpr duration first_wait = std::chrono::milliseconds{100};

    const Driver* driver_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::list<completion_waiter*> waiters_;
    std::list<std::unique_ptr<async_waiter>> async_waits_;
    std::uint64_t last_wait_id_ = 0;
    std::thread thread_;
    bool closed_ = false;
    bool thread_leads_ = false;
    call_limit limit_{};
    std::optional<typename Driver::session> session_;
    std::optional<error_info> failure_;  // the error of the latest query; empty if it succeeded
    fsm::reconnect retry_{};
    duration longest_wait_ = first_wait;  // doubled by each wait, up to 1 s
    bool has_leader_ = false;
};

}  // namespace pgq::detail
