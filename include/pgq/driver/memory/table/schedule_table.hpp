#pragma once

#include <pgq/driver/memory/table/waiter.hpp>
#include <pgq/protocol/enqueue_batch.hpp>
#include <pgq/protocol/schedule.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// A schedule and its job.
struct schedule {
    stored_schedule rule{};
    enqueue_batch job{};
};

/// The schedules of all queues, by queue and name, and the sessions that are notified when one changes.
class schedule_table {
public:
    using key = std::pair<std::string, std::string>;

    std::map<key, schedule>& all() noexcept { return all_; }
    schedule* find(const key& k) {
        const auto found = all_.find(k);
        return found == all_.end() ? nullptr : &found->second;
    }

    void subscribe(const std::shared_ptr<waiter>& session, time_point now) {
        session->follows_schedules = true;
        if (!session->clock_seen) session->clock_seen = now;
        std::erase_if(sessions_, [&](const auto& s) { return s.expired() || s.lock() == session; });
        sessions_.push_back(session);
    }
    void notify() {
        for (const auto& s : sessions_)
            if (const auto session = s.lock()) session->notify_job_changed();
    }
    /// Whether a tick may have come: a manual clock was moved.
    bool may_be_due(time_point now) const {
        return std::any_of(all_.begin(), all_.end(), [&](const auto& entry) {
            const stored_schedule& s = entry.second.rule;
            return !s.paused_at && s.next_at && *s.next_at <= now;
        });
    }

private:
    std::map<key, schedule> all_{};
    std::vector<std::weak_ptr<waiter>> sessions_{};
};

}  // namespace pgq::driver::in_memory
