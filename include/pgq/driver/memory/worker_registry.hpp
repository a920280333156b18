#pragma once

#include <pgq/driver/memory/waiter.hpp>
#include <pgq/job/admin.hpp>
#include <pgq/job/id.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// The registered workers: who lives and who sleeps.
class roster {
public:
    /// `home`: where its session waits.
    worker_id add(const worker_info& info, steady_time now, const std::shared_ptr<waiter>& home) {
        const worker_id id{++last_};
        entry& e = workers_[id];
        e.lease_time = info.lease_time;
        e.beat = now;
        e.lanes.assign(info.lanes.begin(), info.lanes.end());
        e.home = home;
        return id;
    }
    bool has(worker_id id) const { return workers_.contains(id); }
    void remove(worker_id id) { workers_.erase(id); }

    beat_reply beat(worker_id id, steady_time now) {
        const auto found = workers_.find(id);
        const bool alive = found != workers_.end();
        if (alive) found->second.beat = now;
        return {.alive = alive, .work_to_rescue = !overdue(now).empty()};
    }
    std::vector<worker_id> overdue(steady_time now) const {
        std::vector<worker_id> out;
        for (const auto& [id, w] : workers_)
            if (now - w.beat > w.lease_time) out.push_back(id);
        return out;
    }

    /// From now on wakes for this worker's lanes may go to `where`; what was sent before does not count.
    void fell_asleep(worker_id id, const std::shared_ptr<waiter>& where) {
        where->notified = false;
        entry& e = workers_[id];
        e.asleep = where;
        e.home = where;
    }
    void woke_up(worker_id id, const std::shared_ptr<waiter>& where) {
        where->notified = false;
        const auto found = workers_.find(id);
        if (found == workers_.end()) return;
        found->second.asleep = nullptr;
        found->second.home = where;
    }
    /// Some of its jobs are to stop: its session is told, awake or not.
    void ask_to_stop(worker_id id) {
        const auto found = workers_.find(id);
        const auto home = found == workers_.end() ? nullptr : found->second.home.lock();
        if (!home) return;
        home->stop_asked = true;
        home->tell_news();
    }
    /// That session is gone: nobody must be told there.
    void forget(const waiter& where) noexcept {
        for (auto& [id, w] : workers_)
            if (w.asleep.get() == &where) w.asleep = nullptr;
    }

    /// Wakes one sleeping worker for each distinct lane, never `but`, who is awake and knows. Somebody who was told and has
    /// not heard it yet is passed over, so that the next call wakes the next one.
    void wake(std::vector<lane_id>& lanes, worker_id but = {}) {
        std::sort(lanes.begin(), lanes.end());
        lanes.erase(std::unique(lanes.begin(), lanes.end()), lanes.end());
        for (const lane_id lane : lanes) wake_one(lane, but);
    }
    bool wake_one(lane_id lane, worker_id but) {
        for (auto& [id, w] : workers_) {
            if (id == but || !w.asleep || w.asleep->notified) continue;
            if (std::find(w.lanes.begin(), w.lanes.end(), lane) == w.lanes.end()) continue;
            w.asleep->notified = true;
            w.asleep->changed.notify_one();
            return true;
        }
        return false;
    }
    /// One colleague who can run something that `id` can run.
    void wake_colleague(worker_id id) {
        const auto self = workers_.find(id);
        if (self == workers_.end()) return;
        for (const lane_id lane : self->second.lanes)
            if (wake_one(lane, id)) return;
    }

private:
    struct entry {
        duration lease_time{};
        steady_time beat{};
        std::vector<lane_id> lanes{};
        std::shared_ptr<waiter> asleep{};  // null: awake
        std::weak_ptr<waiter> home{};
    };

    std::map<worker_id, entry> workers_{};
    std::int32_t last_ = 0;
};

}  // namespace pgq::driver::in_memory
