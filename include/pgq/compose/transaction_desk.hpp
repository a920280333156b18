#pragma once

#include <pgq/compose/pause.hpp>
#include <pgq/concept/driver.hpp>
#include <pgq/error/ends_session.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace pgq::detail {

/// What came of ending a lease in a handler's thread.
enum class lease_end : std::uint8_t {
    ended,
    lost,     ///< it was another worker's by now, or nobody's
    unknown,  ///< the connection broke, and nobody can tell
};

/// The sessions of a worker for handlers that end their leases themselves: one for each of them that is at it, kept for the next.
template <class Composition>
class transaction_desk {
public:
    using driver_type = typename Composition::driver;
    using session_type = typename driver_type::session;

    transaction_desk(driver_type driver, std::string queue_name)
        : driver_{std::move(driver)}, name_{std::move(queue_name)} {}

    /// A session with a transaction open. Those that broke while nobody needed them are passed over.
    result<session_type> begin() {
        while (auto idle = take_idle())
            if (auto begun = idle->begin(); begun) return std::move(*idle);
        auto opened = open();
        if (!opened) return opened;
        if (auto begun = opened->begin(); !begun) return std::move(begun.error());
        return opened;
    }
    /// One that nothing has been done on.
    result<session_type> open() {
        auto opened = driver_.connect(session_role::client);
        if (!opened) return opened;
        if (auto found = find_lanes(*opened); !found) return std::move(found.error());
        return opened;
    }
    /// Ends a lease by itself. After an error it is as it was.
    result<lease_end> acknowledge(worker_id worker, const lease_ref& lease,
                                  const std::array<std::stop_token, 2>& stops) {
        for (;;) {
            auto session = take_idle();
            if (!session) {
                auto opened = open();
                if (!opened) return std::move(opened.error());
                session.emplace(std::move(*opened));
            }
            const auto ended = session->acknowledge(worker, lease);
            const bool broke = !ended && ends_session(ended.error());
            if (!broke) give_back(std::move(*session));
            if (ended && *ended) return lease_end::ended;
            if (!ended && !broke) return ended.error();
            session.reset();
            // Not there: who asks it to stop, or waits for it, moves a lease. Or the answer got lost.
            const auto holds = still_holds(worker, lease, stops);
            if (!holds || !*holds) return broke ? lease_end::unknown : lease_end::lost;
        }
    }
    /// Asks until there is an answer, or a token fires. Who is about to end the lease has it locked, also when his client is gone;
    /// so what this says is final.
    std::optional<bool> still_holds(worker_id worker, const lease_ref& lease,
                                    const std::array<std::stop_token, 2>& stops) {
        using namespace std::chrono_literals;
        for (duration pause = 20ms;; pause = std::min<duration>(2 * pause, 2s)) {
            if (auto session = open()) {
                if (auto holds = session->still_holds(worker, lease)) {
                    give_back(std::move(*session));
                    return *holds;
                }
            }
            if (!block_until(std::chrono::steady_clock::now() + pause, stops)) return std::nullopt;
        }
    }

    void give_back(session_type&& s) {
        const std::lock_guard lock{mutex_};
        idle_.push_back(std::move(s));
    }
    /// Once a session was opened they do not change.
    std::span<const lane_id> lanes() const noexcept { return lanes_; }

private:
    std::optional<session_type> take_idle() {
        const std::lock_guard lock{mutex_};
        if (idle_.empty()) return std::nullopt;
        std::optional<session_type> s{std::move(idle_.back())};
        idle_.pop_back();
        return s;
    }
    result<void> find_lanes(session_type& s) {
        const std::lock_guard lock{mutex_};
        if (!lanes_.empty()) return {};
        auto found = s.lanes(name_, Composition::lane_names);
        if (!found) return std::move(found.error());
        lanes_ = std::move(*found);
        return {};
    }

    driver_type driver_;
    std::string name_;
    std::mutex mutex_;  // for what follows
    std::vector<session_type> idle_;
    std::vector<lane_id> lanes_;
};

}  // namespace pgq::detail
