#pragma once

#include <pgq/driver/memory/table/waiter.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/lane.hpp>
#include <pgq/protocol/lane_search.hpp>
#include <pgq/protocol/listing.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// The registered workers: their heartbeats, and where each one can be woken.
class worker_registry {
public:
    /// `serves`: for a worker of many queue names, whether it serves a lane.
    worker_id add(const worker_info& info, steady_time now, const std::shared_ptr<waiter>& session,
                  std::function<bool(lane_id)> serves = {}) {
        const worker_id id{++last_};
        entry& e = workers_[id];
        e.lease_time = info.lease_time;
        e.host = info.host;
        e.pid = info.pid;
        e.version = info.version;
        e.started = e.last_beat = now;
        e.lanes.assign(info.lanes.begin(), info.lanes.end());
        if (info.queues != nullptr) {
            e.prefix = std::string{info.queues->prefix};
            e.queues.assign(info.queues->names.begin(), info.queues->names.end());
            for (const lane_name& l : info.queues->lanes) e.entrypoints.emplace_back(l.entrypoint);
        }
        e.serves = std::move(serves);
        e.session = session;
        return id;
    }
    bool contains(worker_id id) const { return workers_.contains(id); }
    void remove(worker_id id) { workers_.erase(id); }
    /// Host and process of a worker; an empty host if it is not registered.
    std::pair<std::string, std::int32_t> process_of(worker_id id) const {
        const auto found = workers_.find(id);
        if (found == workers_.end()) return {};
        return {found->second.host, found->second.pid};
    }

    beat_reply record_beat(worker_id id, steady_time now) {
        const auto found = workers_.find(id);
        const bool alive = found != workers_.end();
        if (alive) found->second.last_beat = now;
        return {.alive = alive, .rescue_needed = !dead(now).empty()};
    }
    /// The workers whose last heartbeat is older than their lease time.
    std::vector<worker_id> dead(steady_time now) const {
        std::vector<worker_id> out;
        for (const auto& [id, w] : workers_)
            if (now - w.last_beat > w.lease_time) out.push_back(id);
        return out;
    }

    /// Behind `after`, at most `most`, without the numbers of their jobs. `now` and `wall` are the same moment.
    std::vector<listed_worker> list(worker_id after, std::int64_t most, steady_time now, time_point wall) const {
        const auto at = [&](steady_time t) { return wall - std::chrono::duration_cast<time_point::duration>(now - t); };
        std::vector<listed_worker> out;
        for (auto w = workers_.upper_bound(after); w != workers_.end(); ++w) {
            if (static_cast<std::int64_t>(out.size()) >= most) break;
            const entry& e = w->second;
            out.push_back({.id = w->first,
                           .host = e.host,
                           .pid = e.pid,
                           .version = e.version,
                           .lanes = e.lanes,
                           .prefix = e.prefix,
                           .queues = e.queues,
                           .entrypoints = e.entrypoints,
                           .started_at = at(e.started),
                           .heartbeat_at = at(e.last_beat),
                           .lease_time = e.lease_time,
                           .alive = now - e.last_beat <= e.lease_time});
        }
        return out;
    }

    /// From now on the worker's notifications go to this session. A request of a former one that arrives later does not
    /// change that.
    void set_session(worker_id id, const std::shared_ptr<waiter>& session) {
        const auto found = workers_.find(id);
        if (found == workers_.end() || found->second.session.lock() == session) return;
        found->second.session = session;
        found->second.sleeping = nullptr;
    }
    /// The worker is about to sleep: wakes for its lanes go to `session`. An earlier wake is dropped.
    void subscribe(worker_id id, const std::shared_ptr<waiter>& session) {
        session->work_ready = false;
        if (entry* const e = entry_of(id, session)) e->sleeping = session;
    }
    void unsubscribe(worker_id id, const std::shared_ptr<waiter>& session) {
        session->work_ready = false;
        if (entry* const e = entry_of(id, session)) e->sleeping = nullptr;
    }
    /// Some of the worker's jobs must stop. Its session is notified, whether it sleeps or not.
    void request_stop(worker_id id) {
        const auto found = workers_.find(id);
        const auto session = found == workers_.end() ? nullptr : found->second.session.lock();
        if (!session) return;
        session->stop_requested = true;
        session->notify_job_changed();
    }
    /// Lanes were paused or resumed: notifies the sessions of all workers that serve one of them.
    void notify_paused(const std::vector<lane_id>& lanes) {
        for (const auto& [id, w] : workers_) {
            const auto serves = [&served = w.lanes](lane_id lane) {
                return std::find(served.begin(), served.end(), lane) != served.end();
            };
            if (std::any_of(lanes.begin(), lanes.end(), serves)) request_stop(id);
        }
    }
    /// The session ends. No wake may go to it, because that wake would be lost.
    void remove_session(const waiter& session) noexcept {
        for (auto& [id, w] : workers_)
            if (w.sleeping.get() == &session) w.sleeping = nullptr;
    }

    /// Wakes one sleeping worker for each distinct lane; see `wake_one`. Sorts `lanes`.
    void wake(std::vector<lane_id>& lanes, worker_id except = {}) {
        std::sort(lanes.begin(), lanes.end());
        lanes.erase(std::unique(lanes.begin(), lanes.end()), lanes.end());
        for (const lane_id lane : lanes) wake_one(lane, except);
    }
    /// Wakes one sleeping worker of the lane, but never `except`, which is awake. Skips a worker that was woken and has
    /// not run yet, so that the next call wakes another one.
    bool wake_one(lane_id lane, worker_id except) {
        for (auto& [id, w] : workers_) {
            if (id == except || !w.sleeping || w.sleeping->work_ready) continue;
            if (!w.has(lane)) continue;
            w.sleeping->work_ready = true;
            w.sleeping->changed.notify_one();
            return true;
        }
        return false;
    }
    /// Wakes one other worker that shares a lane with worker `id`. `claimed`: the lanes that it claims from now.
    void wake_peer(worker_id id, std::span<const claim_lane> claimed = {}) {
        const auto self = workers_.find(id);
        if (self == workers_.end()) return;
        for (const lane_id lane : self->second.lanes)
            if (wake_one(lane, id)) return;
        for (const claim_lane& l : claimed)
            if (wake_one(l.lane, id)) return;
    }

private:
    struct entry {
        duration lease_time{};
        std::string host{};
        std::int32_t pid = 0;
        std::string version{};
        steady_time started{}, last_beat{};
        std::vector<lane_id> lanes{};
        std::optional<std::string> prefix{};
        std::vector<std::string> queues{}, entrypoints{};
        std::function<bool(lane_id)> serves{};
        std::shared_ptr<waiter> sleeping{};  // null while the worker is awake
        std::weak_ptr<waiter> session{};

        bool has(lane_id lane) const {
            return std::find(lanes.begin(), lanes.end(), lane) != lanes.end() || (serves && serves(lane));
        }
    };

    // The worker, if `session` is the one that gets its notifications.
    entry* entry_of(worker_id id, const std::shared_ptr<waiter>& session) {
        const auto found = workers_.find(id);
        if (found == workers_.end() || found->second.session.lock() != session) return nullptr;
        return &found->second;
    }

    std::map<worker_id, entry> workers_{};
    std::int32_t last_ = 0;
};

}  // namespace pgq::driver::in_memory
