#pragma once

#include <pgq/concept/delivery.hpp>
#include <pgq/concept/policy.hpp>

namespace pgq::delivery {

/// A job is acknowledged before its handler is called, and that is on disk: `pgq::job<ring_bell, pgq::delivery::at_most_once>`, or
/// for a whole queue. What a killed worker had begun never runs again; what it had claimed and not begun does.
///
/// There is no second try: whatever the handler returns or throws, the job is gone, and `event::job_finished` tells what it was.
/// When the connection breaks while a job is acknowledged it may be gone without having run; `event::trouble` says so.
struct at_most_once {
    using policy_category = delivery_tag;
    static constexpr bool acknowledges_first = true;
};

static_assert(delivery_policy<at_most_once>);

}  // namespace pgq::delivery
