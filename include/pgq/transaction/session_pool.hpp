#pragma once

#include <pgq/client/open_transaction.hpp>
#include <pgq/client/queue_core.hpp>
#include <pgq/concept/driver.hpp>
#include <pgq/concept/usable.hpp>
#include <pgq/error/ends_session.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/worker/block_until.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

namespace pgq::detail {

/// What came of ending a lease outside of the worker's own session.
enum class lease_end : std::uint8_t {
    ended,
    lost,     ///< another worker holds it by now, or nobody
    unknown,  ///< the connection broke, and the database could not be asked
};

/// A session of a pool, with the limit that its calls obey.
template <class Session>
class pooled_session {
public:
    pooled_session(std::unique_ptr<call_limit> limit, Session s) : limit_{std::move(limit)}, session_{std::move(s)} {}

    Session& operator*() noexcept { return session_; }
    Session* operator->() noexcept { return &session_; }
    call_limit& limit() const noexcept { return *limit_; }

private:
    std::unique_ptr<call_limit> limit_;  // before the session, which refers to it
    Session session_;
};

/// Sessions for transactions. Each is one caller's at a time; between calls they are kept for the next. Called from any
/// thread.
template <class Composition>
class session_pool {
public:
    using core_type = queue_core<Composition>;
    using driver_type = typename Composition::driver;
    using session_type = pooled_session<typename driver_type::session>;

    /// At most `max_idle` sessions are kept; the others close when they are given back.
    explicit session_pool(core_type& core, std::size_t max_idle = SIZE_MAX) : core_{&core}, max_idle_{max_idle} {}

    core_type& core() const noexcept { return *core_; }
    /// The open transactions of the queue object. Who calls a handler in one of these sessions adds it there.
    transaction_count& transactions() const noexcept { return core_->transactions; }

    /// From now on, calls of its new sessions end at this limit, too. It outlives the last call.
    void obey(const call_limit& limit) noexcept { limit_ = &limit; }

    /// A session with an open transaction. An idle session may have lost its connection: then the next one is tried.
    result<session_type> begin() {
        while (auto idle = take_idle())
            if (auto begun = (*idle)->begin(); begun) return std::move(*idle);
        auto opened = open();
        if (!opened) return opened;
        if (auto begun = (*opened)->begin(); !begun) return std::move(begun.error());
        return opened;
    }
    /// A new session.
    result<session_type> open() {
        if (auto fine = check_queue_name(core_->connection.name()); !fine) return std::move(fine.error());
        auto limit = std::make_unique<call_limit>(limit_);
        auto opened = connect_within(core_->connection.driver(), session_role::client, *limit);
        if (!opened) return std::move(opened.error());
        if (auto found = find_lanes(*opened); !found) return std::move(found.error());
        return session_type{std::move(limit), std::move(*opened)};
    }
    /// A session that works and is in no transaction.
    void give_back(session_type&& s) {
        const std::lock_guard lock{mutex_};
        s.limit().clear();
        if (idle_.size() < max_idle_) idle_.push_back(std::move(s));
    }
    /// Those of the composition. They do not change once a session was opened.
    std::span<const lane_id> lanes() const noexcept { return lanes_; }

    /// Ends a lease by itself. After an error the lease is as it was.
    result<lease_end> acknowledge(worker_id worker, const lease_ref& lease,
                                  const std::array<std::stop_token, 2>& stops) {
        for (;;) {
            auto session = take_idle();
            if (!session) {
                auto opened = open();
                if (!opened) return std::move(opened.error());
                session.emplace(std::move(*opened));
            }
            const auto ended = (*session)->acknowledge(worker, lease);
            const bool broke = !ended && ends_session(ended.error());
            if (!broke) give_back(std::move(*session));
            if (ended && *ended) return lease_end::ended;
            if (!ended && !broke) return ended.error();
            session.reset();
            // A request to stop, or a program that waits for the job, moves the lease. Or the answer got lost.
            const auto holds = owns_lease(worker, lease, stops);
            if (!holds || !*holds) return broke ? lease_end::unknown : lease_end::lost;
        }
    }
    /// Asks until the database answers or a token fires. A session that is about to end the lease has locked it, also
    /// when its client is gone; so the answer is final.
    std::optional<bool> owns_lease(worker_id worker, const lease_ref& lease,
                                   const std::array<std::stop_token, 2>& stops) {
        using namespace std::chrono_literals;
        for (duration pause = 20ms;; pause = std::min<duration>(2 * pause, 2s)) {
            if (auto session = open()) {
                if (auto holds = (*session)->owns_lease(worker, lease)) {
                    give_back(std::move(*session));
                    return *holds;
                }
            }
            if (!block_until(std::chrono::steady_clock::now() + pause, stops)) return std::nullopt;
        }
    }

private:
    std::optional<session_type> take_idle() {
        const std::lock_guard lock{mutex_};
        while (!idle_.empty()) {
            std::optional<session_type> s{std::move(idle_.back())};
            idle_.pop_back();
            if (is_usable(**s)) return s;
        }
        return std::nullopt;
    }
    result<void> find_lanes(typename driver_type::session& s) {
        const std::lock_guard lock{mutex_};
        if (!lanes_.empty()) return {};
        auto found = s.lanes(core_->connection.name(), Composition::lane_names);
        if (!found) return std::move(found.error());
        lanes_ = std::move(*found);
        return {};
    }

    core_type* core_;
    std::size_t max_idle_;
    const call_limit* limit_ = nullptr;
    std::mutex mutex_;  // for what follows
    std::vector<session_type> idle_;
    std::vector<lane_id> lanes_;
};

}  // namespace pgq::detail
