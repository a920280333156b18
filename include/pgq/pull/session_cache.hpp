#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/take.hpp>
#include <pgq/pull/job_listener.hpp>

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pgq::detail {

/// What a queue object keeps for those who take jobs by hand: sessions for transactions and for waiting, which are one caller's at a
/// time and nobody's in between.
template <class Driver>
class session_cache {
    using session = typename Driver::session;

public:
    using listener_type = job_listener<session>;

    session_cache() = default;
    session_cache(const session_cache&) = delete;
    session_cache& operator=(const session_cache&) = delete;
    ~session_cache() {
        if constexpr (driver_policy<Driver>)
            for (auto& l : listeners_) l.what.retire();
    }

    /// A session for one transaction.
    result<session> take_session(const Driver& driver) {
        while (auto idle = take_idle()) {
            if constexpr (requires { idle->usable(); }) {
                if (!idle->usable()) continue;
            }
            return std::move(*idle);
        }
        return driver.connect(session_role::client);
    }
    /// One that works, and is in no transaction any more.
    void give_back(session s) {
        const std::lock_guard lock{mutex_};
        if (sessions_.size() < most_idle) sessions_.push_back(std::move(s));
    }

    /// A job_listener for the lanes of one job type.
    result<listener_type> take_listener(const Driver& driver, std::size_t job, const std::vector<lane_id>& lanes) {
        {
            const std::lock_guard lock{mutex_};
            for (auto l = listeners_.begin(); l != listeners_.end(); ++l) {
                if (l->job != job) continue;
                listener_type mine = std::move(l->what);
                listeners_.erase(l);
                return mine;
            }
        }
        return listener_type::open(driver, lanes);
    }
    void give_back(std::size_t job, listener_type l) {
        {
            const std::lock_guard lock{mutex_};
            if (listeners_.size() < most_idle) return void(listeners_.push_back({job, std::move(l)}));
        }
        l.retire();
    }

    /// A job that could neither be read nor held: the next call holds it.
    void defer_hold(taken_record job, std::string reason) {
        const std::lock_guard lock{mutex_};
        deferred_.emplace_back(std::move(job), std::move(reason));
    }
    result<void> hold_deferred(session& s) {
        const std::lock_guard lock{mutex_};
        while (!deferred_.empty()) {
            if (auto kept = s.keep(deferred_.back().first, deferred_.back().second); !kept) return kept;
            deferred_.pop_back();
        }
        return {};
    }

private:
    struct idle_listener {
        std::size_t job;
        listener_type what;
    };

    std::optional<session> take_idle() {
        const std::lock_guard lock{mutex_};
        if (sessions_.empty()) return std::nullopt;
        std::optional<session> mine{std::move(sessions_.back())};
        sessions_.pop_back();
        return mine;
    }

    static constexpr std::size_t most_idle = 8;

    std::mutex mutex_;
    std::vector<session> sessions_{};
    std::vector<idle_listener> listeners_{};
    std::vector<std::pair<taken_record, std::string>> deferred_{};
};

}  // namespace pgq::detail
