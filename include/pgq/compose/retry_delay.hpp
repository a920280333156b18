#pragma once

#include <pgq/backoff/spec.hpp>
#include <pgq/job/header.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/time/clock.hpp>

namespace pgq::detail {

/// How long a job waits after a failed attempt. A back-off that is stored with the job goes before `Backoff`; a stored
/// one that cannot be read counts as none.
template <class Backoff>
duration retry_delay(const job_record& job) noexcept {
    for (const header& h : job.headers) {
        if (h.name != backoff::spec::header_name) continue;
        if (const auto stored = backoff::spec::parse(h.value)) return stored->delay(job.attempt);
    }
    return Backoff{}.delay(job.attempt);
}

}  // namespace pgq::detail
