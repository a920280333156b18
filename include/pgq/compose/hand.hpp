#pragma once

#include <pgq/compose/lookout.hpp>
#include <pgq/concept/driver.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/take.hpp>

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
class hand {
    using session = typename Driver::session;

public:
    using lookout_type = lookout<session>;

    hand() = default;
    hand(const hand&) = delete;
    hand& operator=(const hand&) = delete;
    ~hand() {
        if constexpr (worker_driver<Driver>)
            for (auto& l : lookouts_) l.what.retire();
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

    /// A lookout for the lanes of one job type.
    result<lookout_type> take_lookout(const Driver& driver, std::size_t job, const std::vector<lane_id>& lanes) {
        {
            const std::lock_guard lock{mutex_};
            for (auto l = lookouts_.begin(); l != lookouts_.end(); ++l) {
                if (l->job != job) continue;
                lookout_type mine = std::move(l->what);
                lookouts_.erase(l);
                return mine;
            }
        }
        return lookout_type::open(driver, lanes);
    }
    void give_back(std::size_t job, lookout_type l) {
        {
            const std::lock_guard lock{mutex_};
            if (lookouts_.size() < most_idle) return void(lookouts_.push_back({job, std::move(l)}));
        }
        l.retire();
    }

    /// A job that could neither be read nor held: the next call holds it.
    void stash(taken_record job, std::string reason) {
        const std::lock_guard lock{mutex_};
        stashed_.emplace_back(std::move(job), std::move(reason));
    }
    result<void> unstash(session& s) {
        const std::lock_guard lock{mutex_};
        while (!stashed_.empty()) {
            if (auto kept = s.keep(stashed_.back().first, stashed_.back().second); !kept) return kept;
            stashed_.pop_back();
        }
        return {};
    }

private:
    struct idle_lookout {
        std::size_t job;
        lookout_type what;
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
    std::vector<idle_lookout> lookouts_{};
    std::vector<std::pair<taken_record, std::string>> stashed_{};
};

}  // namespace pgq::detail
