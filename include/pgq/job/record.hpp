#pragma once

#include <pgq/job/header.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/rank.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace pgq {

/// A claimed job as it comes out of the database; views into its lease's `storage`.
struct job_record {
    job_id id{};
    pgq::rank rank{};
    std::int16_t attempt = 1;  ///< 1 for the first delivery
    std::uint32_t index = 0;   ///< its position in the lease's arrays: settlements and masks name it by this
    std::string_view body{};
    std::span<const header> headers{};
    std::int16_t flags = 0;  ///< see job/tracked.hpp
};

/// A claimed batch of one lane, in the order in which it is to be run.
struct claimed_lease {
    lease_ref ref{};
    lane_id lane{};
    std::vector<job_record> jobs{};
    std::shared_ptr<const void> storage{};  ///< owns what the records look at
};

}  // namespace pgq
