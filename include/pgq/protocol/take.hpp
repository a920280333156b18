#pragma once

#include <pgq/job/filter.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/time/clock.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace pgq {

/// A job that was taken out of the queue. The database has deleted it. `attempts` are the deliveries before this one.
using taken_record = stored_job;

/// Which jobs to take out of the queue: the first ones, by rank, of these lanes.
struct take_request {
    std::span<const lane_id> lanes{};
    std::uint32_t limit = 1;        ///< at most this many jobs; 0 takes nothing
    const filter* where = nullptr;  ///< only jobs that pass; null: any job
    bool promote = true;            ///< first make deferred jobs that are due claimable; not inside a transaction
    bool peek_next_due = false;     ///< report when the next deferred job is due
};

struct take_reply {
    std::vector<taken_record> jobs{};  ///< in the order in which they should run
    std::optional<duration>
        next_due{};  ///< with peek_next_due: time until the next deferred job, by the database's clock
};

}  // namespace pgq
