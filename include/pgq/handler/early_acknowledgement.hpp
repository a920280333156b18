#pragma once

#include <pgq/concept/observer.hpp>
#include <pgq/error/error_info.hpp>
#include <pgq/event/events.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/transaction/session_pool.hpp>
#include <pgq/worker/held_lease.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace pgq::detail {

inline error_info may_be_gone(job_id id) {
    return {errc::connection_lost, "job " + std::to_string(id.value) +
                                       " is delivered at most once, and may be gone without having run: the "
                                       "connection broke while it was acknowledged"};
}

/// What came of acknowledging a job before it runs.
struct early_acknowledgement {
    bool may_run = false;
    bool lease_ended = false;  ///< then nothing about the job is stored any more, whatever becomes of it
    outcome otherwise{};       ///< of a job that may not run
};

/// Ends the lease of a job that is delivered at most once. Blocks until the database has answered, or the job's stop
/// token fires.
///
/// If the database refuses, the job stays and is put off for a second. If the lease is another worker's by now, or the
/// connection breaks and nobody can tell, the job does not run here; an event says why.
template <class Sessions, class Observer>
early_acknowledgement acknowledge_early(Sessions& sessions, held_lease& slot, std::uint32_t position,
                                        Observer& observer) {
    slot.closing.store(true);
    const auto ended = sessions.acknowledge(slot.worker, slot.claimed, {slot.stop_token(position)});
    if (!ended) {
        slot.closing.store(false);
        notify(observer, event::error{ended.error()});
        return {.otherwise = snooze{std::chrono::seconds{1}}};
    }
    if (*ended == lease_end::ended) return {.may_run = true, .lease_ended = true};
    if (*ended == lease_end::lost) notify(observer, event::lease_lost{slot.claimed.id, 1});
    else notify(observer, event::error{may_be_gone(slot.lease.jobs[position].id)});
    return {.lease_ended = true, .otherwise = retry_after{{}, "it was not acknowledged, so it has not run"}};
}

}  // namespace pgq::detail
