#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/version.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace pgq::detail {

/// Sleeps until there may be a job in some lanes. Its session is registered as a worker, so that an enqueue wakes it,
/// but it claims nothing.
///
///     fall_asleep(); then the caller tries to take a job, calls wait(), and repeats; leave() in the end
template <class Session>
class job_listener {
    using clock = std::chrono::steady_clock;

public:
    template <class Driver>
    static result<job_listener> open(const Driver& driver, std::vector<lane_id> lanes, steady_time give_up_at) {
        auto limit = std::make_unique<call_limit>();
        limit->set(give_up_at);
        auto session = connect_within(driver, session_role::worker, *limit);
        if (!session) return std::move(session.error());
        job_listener made{std::move(limit), std::move(*session), std::move(lanes)};
        if (auto registered = made.enroll(); !registered) return std::move(registered.error());
        return made;
    }

    /// Subscribes to wake-ups for these lanes. The caller must try to take a job after this and before wait().
    result<void> fall_asleep() {
        woken_ = false;
        if (auto alive = stay_alive(); !alive) return alive;
        auto subscribed = sync({.subscribe_wakes = true});
        if (subscribed || subscribed.error() != errc::worker_lost) return subscribed;
        if (auto registered = enroll(); !registered) return registered;
        return sync({.subscribe_wakes = true});
    }
    /// True if an enqueue has woken it.
    result<bool> wait(duration timeout) {
        if (auto alive = stay_alive(); !alive) return std::move(alive.error());
        auto why = session_.wait(timeout);
        if (!why) return std::move(why.error());
        woken_ = woken_ || *why == wake_reason::notified;
        return *why == wake_reason::notified;
    }
    /// Wake-ups go to other workers again. If `wake_peer`, or if it has been woken, one of them wakes now: there may be
    /// more jobs than the caller takes.
    result<void> leave(bool wake_peer) {
        if (auto received = wait(duration{}); !received) return std::move(received.error());
        std::vector<claim_lane> lanes;
        for (const lane_id lane : lanes_) lanes.push_back({.lane = lane, .max_attempts = 1});
        return sync({.lanes = lanes, .unsubscribe_wakes = true, .wake_peer = wake_peer || woken_});
    }
    /// Pauses; an enqueue does not wake it.
    result<void> rest(duration time) {
        auto paused = session_.wait(time);
        if (!paused) return std::move(paused.error());
        return {};
    }
    /// When its calls end, whatever the server does.
    void give_up_at(steady_time when) noexcept { limit_->set(when); }
    void retire() {
        limit_->bring_forward(clock::now() + std::chrono::seconds{1});
        (void)session_.retire(id_);
    }

private:
    job_listener(std::unique_ptr<call_limit> limit, Session s, std::vector<lane_id> lanes)
        : limit_{std::move(limit)}, session_{std::move(s)}, lanes_{std::move(lanes)} {}

    result<void> enroll() {
        char host[256] = "?";
        (void)::gethostname(host, sizeof host - 1);
        auto id = session_.register_worker({.host = host,
                                            .pid = static_cast<std::int32_t>(::getpid()),
                                            .version = PGQ_VERSION,
                                            .lease_time = lease_time,
                                            .lanes = lanes_});
        if (!id) return std::move(id.error());
        id_ = *id;
        last_beat_ = clock::now();
        return {};
    }
    // There may be no worker that rescues the jobs of dead workers.
    result<void> stay_alive() {
        if (clock::now() - last_beat_ < beat_interval) return {};
        auto answer = session_.beat(id_);
        if (!answer) return std::move(answer.error());
        last_beat_ = clock::now();
        if (answer->rescue_needed)
            if (auto rescued = session_.rescue(); !rescued) return std::move(rescued.error());
        if (answer->alive) return {};
        if (auto registered = enroll(); !registered) return registered;
        return sync({.subscribe_wakes = true});
    }
    result<void> sync(sync_request r) {
        r.worker = id_;
        return session_.sync(r, reply_);
    }

    // Long, because it holds no job and beats only during a wait. A killed process leaves it behind for so long.
    static constexpr std::chrono::hours lease_time{1};
    static constexpr std::chrono::seconds beat_interval{5};

    std::unique_ptr<call_limit> limit_;  // before the session, which refers to it
    Session session_;
    std::vector<lane_id> lanes_;
    worker_id id_{};
    sync_reply reply_{};
    steady_time last_beat_{};
    bool woken_ = false;
};

}  // namespace pgq::detail
