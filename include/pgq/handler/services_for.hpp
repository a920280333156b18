#pragma once

#include <pgq/context/job_services.hpp>
#include <pgq/trace/context.hpp>
#include <pgq/worker/held_lease.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace pgq::detail {

/// What the context of a job of this type needs to change what is stored of the job, and to learn why it should stop.
/// `span`: of the attempt, or null. `revised` receives the payload of a checkpoint, for the next call of the handler in
/// the same attempt.
template <class Composition, class Job>
job_services services_for(job_reviser* reviser, const held_lease& slot, std::uint32_t position,
                          const trace::context* span = nullptr,
                          std::optional<std::string>* revised = nullptr) noexcept {
    return {.reviser = reviser,
            .lease = slot.lease.ref.id,
            .writer = &writer_of<Job, typename Composition::template serializer_of<Job>>,
            .former = slot.version != 0,
            .revised = revised,
            .held = &slot,
            .position = position,
            .queue = slot.queue,
            .span = span,
            .why = [](const void* held, std::uint32_t at) noexcept {
                return static_cast<const held_lease*>(held)->why_stopped(at);
            }};
}

}  // namespace pgq::detail
