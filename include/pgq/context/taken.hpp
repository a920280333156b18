#pragma once

#include <pgq/context/job_attributes.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/rank.hpp>
#include <pgq/protocol/take.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq {

/// A job that was taken out of the queue, with its headers and attempts. It is deleted in the database: no worker gets
/// it, and it does not return.
template <class Job>
class taken : public detail::job_attributes<taken<Job>> {
    friend class detail::job_attributes<taken<Job>>;

public:
    taken(taken_record record, Job value) : record_{std::move(record)}, value_{std::move(value)} {}

    Job& value() & noexcept { return value_; }
    const Job& value() const& noexcept { return value_; }
    Job value() && { return std::move(value_); }
    Job& operator*() noexcept { return value_; }
    const Job& operator*() const noexcept { return value_; }
    Job* operator->() noexcept { return &value_; }
    const Job* operator->() const noexcept { return &value_; }

    /// The number of this delivery; 1 for the first.
    int attempts() const noexcept { return record_.attempts + 1; }

private:
    const taken_record& record() const noexcept { return record_; }

    taken_record record_;
    Job value_;
};

/// How to get a job.
struct get_options {
    duration timeout = std::chrono::seconds{1};        ///< how long to wait for a job; zero: do not wait
    filter where{};                                    ///< only jobs that pass; the default passes every job
    duration poll_interval = std::chrono::seconds{1};  ///< how often to check for a job without a wake-up
};

/// How to poll.
struct poll_options {
    duration timeout = std::chrono::seconds{1};        ///< the loop ends if there is no job for so long
    std::uint32_t prefetch = 10;                       ///< how many jobs are claimed at once, at least 1
    filter where{};                                    ///< only jobs that pass; the default passes every job
    duration lease_time = std::chrono::seconds{15};    ///< after so long without a heartbeat others get the jobs
    duration poll_interval = std::chrono::seconds{1};  ///< how often to look for jobs without a notification
    std::int16_t max_attempts = 20;                    ///< deliveries; a job that is retried after the last is held
};

/// How to take a job inside a transaction.
struct take_options {
    duration timeout{};                                ///< how long to wait for a job; zero: do not wait
    filter where{};                                    ///< only jobs that pass; the default passes every job
    duration poll_interval = std::chrono::seconds{1};  ///< how often to check for a job without a wake-up
};

}  // namespace pgq
