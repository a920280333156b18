#pragma once

#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/lane_search.hpp>
#include <pgq/protocol/rank.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/time/clock.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgq {

/// How a worker describes itself when it registers.
struct worker_info {
    std::string_view host{};
    std::int32_t pid = 0;
    std::string_view version{};
    duration lease_time{};                  ///< without a heartbeat for this long, the worker is declared dead
    std::span<const lane_id> lanes{};       ///< the lanes whose jobs it can run
    const served_queues* queues = nullptr;  ///< instead of `lanes`, if it serves many queue names
};

/// The answer to a heartbeat.
struct beat_reply {
    bool alive = false;          ///< false: this worker was declared dead and has lost its leases
    bool rescue_needed = false;  ///< the heartbeat of another worker is late: call `rescue`
    bool jobs_to_stop = false;   ///< jobs of this worker should stop, or are paused: see lease_update
    bool compacted = false;      ///< this heartbeat removed dead rows; an old snapshot may soon leave more of them
    std::optional<error_info> compact_error{};  ///< why compaction failed; the heartbeat itself has succeeded
    std::optional<error_info> report_error{};   ///< why the statistics were not stored; the same
};

/// A job that a rescue, or a worker that gave it back, held: it has no attempt left, or its row is malformed.
struct held_by_rescue {
    job_id id{};
    std::string reason{};
    friend bool operator==(const held_by_rescue&, const held_by_rescue&) = default;
};

/// Something about the database that makes jobs fail or wait without a message.
struct database_problem {
    std::string name{};     ///< for programs, stable: row_security, row_security_policies, replica_identity, autovacuum
    std::string message{};  ///< what is the case, and what it does
    std::string remedy{};
    bool prevents_work = false;  ///< a worker does not start: it could run no job
    std::vector<std::string> tables{};
    friend bool operator==(const database_problem&, const database_problem&) = default;
};

/// What a rescue did.
struct rescue_reply {
    std::int64_t workers = 0;                 ///< workers that it declared dead
    std::int64_t returned = 0;                ///< jobs that are claimable again
    std::int64_t held = 0;                    ///< jobs that are held
    std::vector<held_by_rescue> held_jobs{};  ///< the same, in ascending order of their ids
};

/// A held job, for a person to read.
struct held_job : stored_job {
    std::string reason{};
};

/// How many jobs of a lane are in each state. The numbers are exact; the server scans the tables for them.
struct lane_counts {
    std::int64_t ready = 0;     ///< claimable
    std::int64_t deferred = 0;  ///< not due yet
    std::int64_t leased = 0;    ///< claimed by workers and not acknowledged
    std::int64_t held = 0;      ///< dead letters
    bool paused = false;        ///< no job starts
    bool draining = false;      ///< no job is enqueued
    std::int64_t blocked = 0;   ///< waiting for other jobs

    constexpr lane_counts& operator+=(const lane_counts& o) noexcept {
        ready += o.ready, deferred += o.deferred, leased += o.leased, held += o.held, blocked += o.blocked;
        paused = paused || o.paused, draining = draining || o.draining;
        return *this;
    }
    friend constexpr bool operator==(const lane_counts&, const lane_counts&) = default;
};

}  // namespace pgq
