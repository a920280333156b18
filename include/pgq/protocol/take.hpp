#pragma once

#include <pgq/job/filter.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/rank.hpp>
#include <pgq/time/clock.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pgq {

/// A header that owns its texts.
struct owned_header {
    std::string name{};
    std::string value{};

    friend bool operator==(const owned_header&, const owned_header&) = default;
};

/// A job that was taken out of the queue. The database has deleted it.
struct taken_record {
    job_id id{};
    lane_id lane{};
    pgq::rank rank{};
    std::int16_t attempts = 0;  ///< the number of deliveries before this one
    std::string body{};
    std::vector<owned_header> headers{};
    std::optional<std::string> key{};  ///< its key for keyed limits
};

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
