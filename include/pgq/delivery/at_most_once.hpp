#pragma once

#include <pgq/concept/delivery.hpp>
#include <pgq/concept/policy.hpp>

namespace pgq::delivery {

/// A job is acknowledged, durably, before its handler is called: `pgq::job<ring_bell, pgq::delivery::at_most_once>`, or
/// as a policy of the whole queue. If a worker is killed, the jobs that it had started never run again. The jobs that
/// it had claimed but not started run in another worker.
///
/// There are no retries. Whatever the handler returns or throws, the job has left the queue; `event::job_finished`
/// reports the outcome. If the connection breaks during the acknowledgement, a job may be gone although it did not run.
/// Then the worker reports `event::error`.
struct at_most_once {
    using policy_category = delivery_tag;
    static constexpr bool acknowledges_first = true;
};

static_assert(delivery_policy<at_most_once>);

}  // namespace pgq::delivery
