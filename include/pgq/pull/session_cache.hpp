#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/take.hpp>
#include <pgq/pull/job_listener.hpp>
#include <pgq/time/clock.hpp>

#include <cstddef>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace pgq::detail {

/// What a queue object keeps between calls of `get` and `take`: the sessions of its listeners, and jobs that are
/// still to be held. Called from any thread.
template <class Driver>
class session_cache {
    using session = typename Driver::session;

public:
    using listener_type = job_listener<session>;

    session_cache() = default;
    session_cache(const session_cache&) = delete;
    session_cache& operator=(const session_cache&) = delete;
    ~session_cache() {
        if constexpr (worker_driver<Driver>)
            for (auto& l : listeners_) l.listener.retire();
    }

    /// A listener for the lanes of one job type; `job` is the position of the type in the composition.
    /// Its calls end at `give_up_at`.
    result<listener_type> take_listener(const Driver& driver, std::size_t job, const std::vector<lane_id>& lanes,
                                        steady_time give_up_at = steady_time::max()) {
        {
            const std::lock_guard lock{mutex_};
            for (auto l = listeners_.begin(); l != listeners_.end(); ++l) {
                if (l->job != job) continue;
                listener_type mine = std::move(l->listener);
                listeners_.erase(l);
                mine.give_up_at(give_up_at);
                return mine;
            }
        }
        return listener_type::open(driver, lanes, give_up_at);
    }
    void give_back(std::size_t job, listener_type l) {
        {
            const std::lock_guard lock{mutex_};
            if (listeners_.size() < most_idle) return void(listeners_.push_back({job, std::move(l)}));
        }
        l.retire();
    }

    /// Remembers a job that was taken and could neither be read nor held. The next call holds it.
    void defer_hold(taken_record job, std::string reason) {
        const std::lock_guard lock{mutex_};
        deferred_.emplace_back(std::move(job), std::move(reason));
    }
    result<void> hold_deferred(session& s) {
        const std::lock_guard lock{mutex_};
        while (!deferred_.empty()) {
            if (auto held = s.hold_taken(deferred_.back().first, deferred_.back().second); !held) return held;
            deferred_.pop_back();
        }
        return {};
    }

private:
    struct idle_listener {
        std::size_t job;
        listener_type listener;
    };

    static constexpr std::size_t most_idle = 8;

    std::mutex mutex_;
    std::vector<idle_listener> listeners_{};
    std::vector<std::pair<taken_record, std::string>> deferred_{};
};

}  // namespace pgq::detail
