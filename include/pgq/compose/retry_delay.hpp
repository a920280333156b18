#pragma once

#include <pgq/backoff/recipe.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/record.hpp>
#include <pgq/time/clock.hpp>

namespace pgq::detail {

/// How long a job waits after a failed attempt: the back-off stored with the job decides, else `Backoff`.
template <class Backoff>
duration rest_of(const job_record& job) noexcept {
    for (const header& h : job.headers) {
        if (h.name != backoff::recipe::header_name) continue;
        if (const auto stored = backoff::recipe::parse(h.value)) return stored->delay(job.attempt);
    }
    return Backoff{}.delay(job.attempt);
}

}  // namespace pgq::detail
