#pragma once

#include <pgq/job/header.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/rank.hpp>
#include <pgq/time/clock.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgq {

/// A header that owns its texts.
struct owned_header {
    std::string name{};
    std::string value{};

    friend bool operator==(const owned_header&, const owned_header&) = default;
};

/// A job as the database stores it, outside of a lease. It owns its texts.
struct stored_job {
    job_id id{};
    lane_id lane{};
    pgq::rank rank{};
    std::int16_t attempts = 0;  ///< the number of deliveries so far
    time_point enqueued_at{};   ///< by the database's clock
    std::string body{};
    std::vector<owned_header> headers{};
    std::optional<std::string> key{};  ///< its key for keyed limits
};

/// A claimed job as the database returned it. Its texts are views into the `storage` of its lease.
struct job_record {
    job_id id{};
    pgq::rank rank{};
    std::int16_t attempt = 1;  ///< 1 for the first delivery
    time_point enqueued_at{};  ///< by the database's clock
    std::uint32_t index = 0;   ///< its number in the lease; settlements and masks refer to it by this number
    std::string_view body{};
    std::span<const header> headers{};
    std::int16_t flags = 0;  ///< see protocol/tracked.hpp
};

/// A batch of jobs of one lane that a worker has claimed, in the order in which they should run.
struct claimed_lease {
    lease_ref ref{};
    lane_id lane{};
    time_point claimed_at{};  ///< by the database's clock
    std::vector<job_record> jobs{};
    std::shared_ptr<const void> storage{};  ///< owns the texts of the records
    /// By job_record::index: how long after the claim each job expires unless it has begun; zero: it has expired. Empty
    /// if no job expires.
    std::vector<duration> expires_in{};

    /// From the enqueue of a job of this lease to its claim. Statistics and metrics count it for first attempts.
    duration waited(const job_record& j) const noexcept { return claimed_at - j.enqueued_at; }
};

/// In claimed_lease::expires_in: the job does not expire.
inline constexpr duration never_expires = duration::max();

}  // namespace pgq
