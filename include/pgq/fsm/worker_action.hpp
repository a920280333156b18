#pragma once

#include <pgq/fsm/prefetch_window.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstdint>

namespace pgq::fsm {

/// What the loop around a worker does next.
enum class worker_do : std::uint8_t {
    sync,             ///< one round trip as described, then synced() or failed()
    wait,             ///< until notified, until a job finishes, or for `timeout`; notified() only for the first
    pause,            ///< the same without a connection
    run_claimed,      ///< hand the claimed jobs to the executor, then ran()
    connect,          ///< open another session, then connected() or broke()
    register_worker,  ///< under a new id, then registered()
    compare_leases,   ///< take the worker over and read its leases, then leases_compared()
    give_back,        ///< those of them that the worker does not know, then gave_back()
    refresh_leases,   ///< read the leases again, then leases_refreshed()
    count_deferred,   ///< count the jobs of our lanes that are deferred, ready or leased, then deferred_counted()
    interrupt,        ///< the grace time is over: fire the stop tokens
    abandon,          ///< handlers still run: give their jobs back, then dropped()
    stop,             ///< nothing is left to do
};

struct worker_action {
    worker_do what = worker_do::wait;
    std::uint32_t limit = 0;  ///< claim so many
    bool from_start = false;  ///< a full scan: without cursors
    bool promote = false;
    bool peek_next_due = false;
    bool subscribe_wakes = false;
    bool unsubscribe_wakes = false;
    bool wake_peer = false;
    duration timeout{};
};

/// When a worker ends by itself.
enum class run_until : std::uint8_t {
    stopped,  ///< never
    empty,    ///< when nothing is claimable any more; deferred jobs stay
    drained,  ///< when no job is left, deferred ones and those that other workers have claimed included
};

struct worker_options {
    window_options window{};
    duration poll_interval = std::chrono::seconds{5};
    duration flush_after = std::chrono::milliseconds{50};  ///< how long a finished job may wait to be acknowledged
    duration scan_every = std::chrono::milliseconds{250};  ///< how long cursors are trusted, and what is due next
    duration grace = std::chrono::seconds{30};
    duration lease_time = std::chrono::seconds{15};
    run_until until = run_until::stopped;
    bool overlap = false;  ///< claim by halves: one half runs while the other is claimed
};

}  // namespace pgq::fsm
