#pragma once

#include <pgq/fsm/reconnect.hpp>
#include <pgq/fsm/worker_action.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <optional>

namespace pgq::fsm {

/// A worker's connection, its registration, and whether the worker and the database agree on the leases. Begins
/// connected and registered.
///
///     [working] -- broke() --> [closed] -- retry time --> connect -- connected() --> [restoring]
///         ^                       ^                          |                           |
///         |                       +------ broke() -----------+                           | compare_leases,
///         |                       +------ broke(), in any step --------------------------+ give_back if unknown
///         +--------------------------------- restored ------------------------------------+
///
///     [working]:  leases_changed(), or just restored --> refresh_leases
///                 after 1, 2, 4, 4 ... x the lease time --> refresh_leases, give_back if unknown
///     any state:  declared_dead() --> register_worker, as soon as there is a connection
///
/// Why it refreshes again and again: a session that broke may live on at the server and still get a lock that it waits
/// for. Its claim then belongs to this worker, which has not received it. And a connection through a pooler does not
/// break when the server crashes; the crash may undo what the server had answered.
class connection {
public:
    explicit connection(duration lease_time) noexcept : lease_time_{lease_time} {}

    /// The next step towards agreement; empty when there is none now.
    std::optional<worker_do> next(steady_time now) const noexcept {
        if (!open_) return now >= retry_at_ ? std::optional{worker_do::connect} : std::nullopt;
        if (!registered_) return worker_do::register_worker;
        if (unknown_) return worker_do::give_back;
        if (restoring_) return worker_do::compare_leases;
        if (refresh_ || now >= refresh_at_) return worker_do::refresh_leases;
        return std::nullopt;
    }

    /// The connection was lost, could not be made, or a step failed. Returns after how long to try again.
    /// `unit_random`: from 0 to 1.
    duration broke(double unit_random, steady_time now) noexcept {
        if (open_) closed_since_ = now;
        open_ = unknown_ = false;
        refresh_at_ = steady_time::max();  // a new connection begins with it
        const duration delay = retry_.failed(unit_random);
        retry_at_ = now + delay;
        return delay;
    }
    void connected() noexcept { open_ = restoring_ = true; }
    /// A sync succeeded. Only that ends the growth of the pauses: a server that is read-only, or fails each commit,
    /// accepts connections all the same.
    void worked(steady_time now) noexcept {
        retry_.succeeded();
        if (refresh_at_ == steady_time::max()) refresh_after(4 * lease_time_, now);
    }
    /// The database, or the heartbeat, says that the worker's leases are lost.
    void declared_dead() noexcept { registered_ = unknown_ = false; }  // what the former id holds others rescue
    void registered() noexcept { registered_ = true; }
    /// `unknown`: the database has leases that the worker does not know. True when this ends restoring().
    bool leases_compared(bool unknown) noexcept {
        unknown_ = unknown;
        return !unknown && agreed();
    }
    bool gave_back() noexcept {
        unknown_ = false;
        return agreed();
    }
    /// Somebody has moved leases, tracks their jobs, or wants them to stop.
    void leases_changed() noexcept { refresh_ = true; }
    /// `unknown`: as in leases_compared().
    void leases_refreshed(bool unknown, steady_time now) noexcept {
        refresh_ = false;
        unknown_ = unknown;
        refresh_after(refresh_rest_ == duration{} ? lease_time_ : std::min(2 * refresh_rest_, 4 * lease_time_), now);
    }

    bool is_open() const noexcept { return open_; }
    bool restoring() const noexcept { return restoring_; }
    /// The earliest time at which next() changes by itself.
    steady_time next_at() const noexcept { return open_ ? refresh_at_ : retry_at_; }
    /// When closed.
    steady_time closed_since() const noexcept { return closed_since_; }

private:
    bool agreed() noexcept {
        if (!restoring_) return false;
        restoring_ = false;
        refresh_ = true;  // it also learns which lanes are paused
        refresh_rest_ = {};
        return true;
    }
    void refresh_after(duration rest, steady_time now) noexcept {
        refresh_rest_ = rest;
        refresh_at_ = now + rest;
    }

    duration lease_time_;
    reconnect retry_{};
    bool open_ = true;
    bool registered_ = true;
    bool restoring_ = false;
    bool unknown_ = false;  // leases to be given back
    bool refresh_ = false;
    steady_time retry_at_{};
    steady_time closed_since_{};
    steady_time refresh_at_ = steady_time::max();
    duration refresh_rest_{};
};

}  // namespace pgq::fsm
