#pragma once

#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/rank.hpp>
#include <pgq/time/clock.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pgq {

/// What a worker tells about itself when it registers.
struct worker_info {
    std::string_view host{};
    std::int32_t pid = 0;
    std::string_view version{};
    duration lease_time{};             ///< it is dead when it has not beaten for so long
    std::span<const lane_id> lanes{};  ///< what it can run
};

/// The answer to a heartbeat.
struct beat_reply {
    bool alive = false;           ///< false: this worker was declared dead, its leases are gone
    bool work_to_rescue = false;  ///< somebody else looks dead
    bool stop_asked = false;      ///< jobs of this worker are to stop: see lease_news
    bool compacted = false;       ///< a table was rewritten without its dead rows; the next beat may find more
    std::optional<error_info> compact_error{};  ///< why that failed; the heartbeat itself has succeeded
};

struct rescue_reply {
    std::int64_t workers = 0;   ///< declared dead
    std::int64_t returned = 0;  ///< jobs claimable again
    std::int64_t held = 0;      ///< jobs with no attempts left, held
};

/// A held job, for people.
struct held_job {
    job_id id{};
    lane_id lane{};
    std::int16_t attempts = 0;
    std::string reason{};
    std::string body{};
};

/// How many jobs of a lane are where. Counted, not estimated: a scan.
struct lane_counts {
    std::int64_t ready = 0;     ///< claimable
    std::int64_t deferred = 0;  ///< waiting for their time
    std::int64_t leased = 0;    ///< handed to workers and not acknowledged
    std::int64_t held = 0;

    constexpr lane_counts& operator+=(const lane_counts& o) noexcept {
        ready += o.ready, deferred += o.deferred, leased += o.leased, held += o.held;
        return *this;
    }
    friend constexpr bool operator==(const lane_counts&, const lane_counts&) = default;
};

}  // namespace pgq
