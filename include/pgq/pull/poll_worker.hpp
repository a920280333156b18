#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/concept/usable.hpp>
#include <pgq/context/taken.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/limit.hpp>
#include <pgq/protocol/own_settings.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/pull/lease_owner.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/time/fair_mutex.hpp>
#include <pgq/version.hpp>
#include <pgq/worker/heartbeat.hpp>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::detail {

inline result<void> check(const poll_options& o) {
    using namespace std::chrono_literals;
    if (o.prefetch < 1) return error_info{errc::invalid_option, "prefetch is 0", "at least the job in hand is claimed"};
    if (o.max_attempts < 1) return error_info{errc::invalid_option, "max_attempts is less than 1"};
    if (o.lease_time < 100ms || o.lease_time > 24h)
        return error_info{errc::invalid_option, "lease_time is not between 100 ms and a day"};
    return o.where.check();
}

/// What a poller needs of its queue: limits that hold for all workers belong to a queue name and an entrypoint.
struct polled_queue {
    std::string name{};
    std::string entrypoint{};
    std::vector<lane_limit> declared{};
    std::int16_t max_attempts = 0;  ///< of the settings of the job type; 0: those of the options
};

/// A worker without handlers: it registers, beats, claims, and acknowledges. Each job has a lease of its own, so that
/// an acknowledgement in a caller's transaction locks no other job. Called from any thread.
template <class Driver, class Observer>
class poll_worker final : public lease_owner {
    using session = typename Driver::session;

public:
    poll_worker(const Driver& driver, Observer& observer, polled_queue of, poll_options options)
        : driver_{&driver}, of_{std::move(of)}, options_{std::move(options)}, monitor_{driver,
                                                                                       observer,
                                                                                       options_.lease_time,
                                                                                       [this] { lost_.store(true); },
                                                                                       [this] { told_.store(true); },
                                                                                       monitor_limit_} {}
    ~poll_worker() override { close(); }

    const poll_options& options() const noexcept { return options_; }
    std::int16_t max_attempts() const noexcept override {
        return of_.max_attempts > 0 ? of_.max_attempts : options_.max_attempts;
    }

    /// The next job, claimed, or none. At `deadline` the call ends even if the server is silent.
    result<std::optional<claimed_lease>> claim(const std::vector<lane_id>& lanes, std::optional<duration>& due,
                                               steady_time deadline = steady_time::max()) {
        std::unique_lock lock{mutex_, std::defer_lock};
        if (!lock_until(lock, deadline))
            return error_info{errc::timeout, "another call of the poller was waiting for the server"};
        const time_limit mine{*this, deadline};
        if (auto ready = prepare(lanes); !ready) return std::move(ready.error());
        if (auto returned = return_paused(); !returned) return std::move(returned.error());
        if (waiting_.empty())
            if (auto claimed = claim_more(lanes, due); !claimed) return std::move(claimed.error());
        if (waiting_.empty()) return std::optional<claimed_lease>{};
        std::optional<claimed_lease> next{std::move(waiting_.front())};
        waiting_.pop_front();
        return next;
    }

    result<void> answer(const lease_ref& lease, const settlement& what) override {
        const std::lock_guard lock{mutex_};
        if (auto mine = find(lease); !mine) return mine;
        auto done = acknowledge(held_.at(lease.id), what);
        if (!done && done.error() == errc::lease_lost && locate(lease.id)) done = acknowledge(held_.at(lease.id), what);
        if (done || done.error() == errc::lease_lost) held_.erase(lease.id);
        return done;
    }
    result<void> revise(const lease_ref& lease, job_id job, std::string_view body) override {
        const std::lock_guard lock{mutex_};
        if (auto mine = find(lease); !mine) return mine;
        auto done = session_->revise({.worker = worker_, .lease = lease.id, .job = job, .body = body});
        if (done) return done;
        if (done.error() == errc::lease_lost) held_.erase(lease.id);
        return drop_broken(std::move(done.error()));
    }
    result<owner_info> info_of(const lease_ref& lease) override {
        const std::lock_guard lock{mutex_};
        if (auto mine = find(lease); !mine) return std::move(mine.error());
        owner_info f{.worker = worker_};
        if constexpr (requires { session_->line().options().schema; }) f.schema = session_->line().options().schema;
        return f;
    }
    void answered_elsewhere(const lease_ref& lease) noexcept override {
        const std::lock_guard lock{mutex_};
        held_.erase(lease.id);
        leaves_rows_ = true;
    }

    /// Gives back the jobs without an answer.
    void close() noexcept {
        const auto soon = std::chrono::steady_clock::now() + std::chrono::seconds{1};  // if the server is silent
        closes_at_.store(soon);
        limit_.bring_forward(soon);
        monitor_limit_.bring_forward(soon);
        monitor_.stop();
        const std::lock_guard lock{mutex_};
        if (closed_) return;
        closed_ = true;
        waiting_.clear();
        if (!session_) return;
        try {
            // A caller's transaction may have deleted a row and not committed: `retire` would wait for it. Then the
            // workers that miss our heartbeat do the rest.
            if (leaves_rows_) (void)session_->give_back(refs());
            else (void)session_->retire(worker_);
            session_.reset();
        } catch (...) {  // then the jobs come back when the lease time is over
        }
    }

private:
    // The calls of the session end at that time, or when the poller closes.
    class time_limit {
    public:
        time_limit(poll_worker& of, steady_time deadline) noexcept : of_{of} { set(deadline); }
        time_limit(const time_limit&) = delete;
        time_limit& operator=(const time_limit&) = delete;
        ~time_limit() { set(steady_time::max()); }

    private:
        void set(steady_time t) noexcept {
            of_.limit_.set(t);
            of_.limit_.bring_forward(of_.closes_at_.load());
        }
        poll_worker& of_;
    };

    struct held_lease {
        lease_ref ref{};
        lane_id lane{};
    };

    // A program may have begun to wait for the job since it was claimed, so its end is always reported.
    result<void> acknowledge(const held_lease& held, const settlement& what) {
        const std::string mask{'\1'};
        const lease_progress end{.ref = held.ref, .last = true, .mask = mask, .items = {&what, 1}, .flagged = true};
        sync_reply reply;
        sync_request r{.worker = worker_, .progressed = {&end, 1}};
        if (limited_) r.lanes_with_capacity = {&held.lane, 1};
        if (auto done = sync(r, reply); !done) return done;
        if (!reply.lost.empty()) return errc::lease_lost;
        return {};
    }
    // Another session may have moved the lease. True if it is still ours.
    bool locate(std::int64_t id) {
        auto now = session_->lease_updates(worker_);
        if (!now) return false;
        const auto found =
            std::find_if(now->begin(), now->end(), [&](const lease_update& n) { return n.ref.id == id; });
        if (found == now->end()) return false;
        held_.at(id).ref = found->ref;
        return true;
    }
    // A job that was claimed ahead goes back if its lane was paused meanwhile.
    result<void> return_paused() {
        if (waiting_.empty()) return {};
        if (auto received = session_->wait(duration{}); !received) return drop_broken(std::move(received.error()));
        const bool notified = session_->take_stop_request();
        if (!told_.exchange(false) && !notified) return {};
        auto now = session_->lease_updates(worker_);
        if (!now) return drop_broken(std::move(now.error()));
        std::vector<lease_ref> back;
        for (const lease_update& u : *now) {
            const auto same = [&](const claimed_lease& l) { return l.ref.id == u.ref.id; };
            if (!u.paused || std::erase_if(waiting_, same) == 0) continue;
            held_.erase(u.ref.id);
            back.push_back(u.ref);
        }
        if (back.empty()) return {};
        if (auto done = session_->give_back(back); !done) return drop_broken(std::move(done.error()));
        return {};
    }
    std::vector<lease_ref> refs() const {
        std::vector<lease_ref> all;
        for (const auto& [id, h] : held_) all.push_back(h.ref);
        return all;
    }
    result<void> find(const lease_ref& lease) {
        if (closed_) return errc::closed;
        if (auto ready = prepare(lanes_); !ready) return ready;
        if (!held_.contains(lease.id)) return errc::lease_lost;
        return {};
    }

    result<void> prepare(const std::vector<lane_id>& lanes) {
        if (closed_) return errc::closed;
        lanes_ = lanes;
        if (session_ && !is_usable(*session_)) session_.reset();  // the server closed it while it was idle
        if (!session_) {
            auto opened = connect_within(*driver_, session_role::worker, limit_);
            if (!opened) return std::move(opened.error());
            session_.emplace(std::move(*opened));
            compare_at_ = {};
        }
        if (worker_ != worker_id{} && !lost_ && std::chrono::steady_clock::now() >= compare_at_)
            if (auto compared = compare(); !compared) return drop_broken(std::move(compared.error()));
        if (worker_ != worker_id{} && !lost_.exchange(false)) return {};
        held_.clear();
        waiting_.clear();
        return register_worker();
    }
    result<void> register_worker() {
        char host[256] = "?";
        (void)::gethostname(host, sizeof host - 1);
        if (auto known = find_limits(); !known) return drop_broken(std::move(known.error()));
        const auto asked_at = std::chrono::steady_clock::now();
        auto id = session_->register_worker({.host = host,
                                             .pid = static_cast<std::int32_t>(::getpid()),
                                             .version = PGQ_VERSION,
                                             .lease_time = options_.lease_time,
                                             .lanes = lanes_});
        if (!id) {
            lost_ = worker_ != worker_id{};
            return drop_broken(std::move(id.error()));
        }
        const bool first = worker_ == worker_id{};
        worker_ = *id;
        compare_later();
        if (first) monitor_.start(worker_);
        else monitor_.follow(worker_, asked_at);
        return {};
    }
    // Creates the limits that the queue declares and the database does not have. A job that is handed out has begun, so
    // from a lane with limits no job is claimed ahead.
    result<void> find_limits() {
        auto found = session_->limits(of_.name, of_.declared);
        if (!found) return std::move(found.error());
        limited_ = std::any_of(found->begin(), found->end(), [&](const lane_limit& l) {
            return l.entrypoint.empty() || l.entrypoint == of_.entrypoint;
        });
        if (!limited_ || options_.where.is_everything()) return {};
        return error_info{errc::invalid_option, "a filter on jobs with limits that hold for all workers",
                          "poll without `where`, or give those that are wanted a queue of their own"};
    }
    // On a new connection, and now and then: keeps the leases that are still ours, and gives back those of a claim
    // whose reply was lost, or whose end a crash of the server has undone. A pooled connection survives a crash.
    result<void> compare() {
        auto stored = session_->leases_of(worker_);
        if (!stored) return std::move(stored.error());
        std::map<std::int64_t, held_lease> still;
        std::vector<lease_ref> unreceived;
        for (const lease_update& u : *stored) {
            if (const auto mine = held_.find(u.ref.id); mine != held_.end()) still.emplace(*mine);
            else if (!leaves_rows_) unreceived.push_back(u.ref);
        }
        held_ = std::move(still);
        std::erase_if(waiting_, [&](const claimed_lease& l) { return !held_.contains(l.ref.id); });
        if (!unreceived.empty())
            if (auto back = session_->give_back(unreceived); !back) return std::move(back.error());
        compare_later();
        return {};
    }
    void compare_later() noexcept { compare_at_ = std::chrono::steady_clock::now() + 4 * options_.lease_time; }

    result<void> claim_more(const std::vector<lane_id>& lanes, std::optional<duration>& due) {
        std::vector<claim_lane> from;
        std::vector<limited_lane> one_by_one;
        const std::int16_t attempts = leased_attempts(max_attempts());
        for (const lane_id lane : lanes) {
            from.push_back({.lane = lane, .max_attempts = attempts});
            one_by_one.push_back({.lane = lane, .most = 1, .max_attempts = attempts});
        }
        sync_request r{.worker = worker_, .promote = true, .peek_next_due = true};
        if (limited_) r.limited = one_by_one, r.limited_capacity = 1;
        else r.lanes = from, r.limit = options_.prefetch, r.claim_filter = &options_.where;
        sync_reply reply;
        if (auto claimed = sync(r, reply); !claimed) return claimed;
        due = reply.next_due;
        if (reply.again) due = std::min(due.value_or(*reply.again), *reply.again);
        std::sort(reply.leases.begin(), reply.leases.end(), [](const claimed_lease& a, const claimed_lease& b) {
            return std::pair{a.jobs.front().rank, a.jobs.front().id} <
                   std::pair{b.jobs.front().rank, b.jobs.front().id};
        });
        for (auto& lease : reply.leases) {
            held_.emplace(lease.ref.id, held_lease{lease.ref, lease.lane});
            waiting_.push_back(std::move(lease));
        }
        return {};
    }
    result<void> sync(const sync_request& r, sync_reply& reply) {
        auto done = session_->sync(r, reply);
        if (!done && done.error() == errc::worker_lost) lost_ = true;
        if (!done) return drop_broken(std::move(done.error()));
        return done;
    }
    error_info drop_broken(error_info e) {
        if (e == condition::transient && e != errc::worker_lost) session_.reset();
        return e;
    }

    const Driver* driver_;
    polled_queue of_;
    poll_options options_;
    call_limit limit_{};          // of the session
    call_limit monitor_limit_{};  // of the heartbeat
    std::atomic<steady_time> closes_at_{steady_time::max()};
    fair_mutex mutex_;
    std::optional<session> session_{};
    worker_id worker_{};
    std::vector<lane_id> lanes_{};
    std::deque<claimed_lease> waiting_{};        // claimed, and not handed out
    std::map<std::int64_t, held_lease> held_{};  // without an answer, those in waiting_ included
    steady_time compare_at_{};
    bool limited_ = false;
    bool leaves_rows_ = false;
    bool closed_ = false;
    std::atomic<bool> lost_{false};
    std::atomic<bool> told_{false};  // by the heartbeat, in case the notification got lost
    heartbeat<Driver, Observer> monitor_;
};

}  // namespace pgq::detail
