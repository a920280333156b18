#pragma once

#include <pgq/concept/delivery.hpp>
#include <pgq/concept/policy.hpp>

namespace pgq::delivery {

/// A job is acknowledged after its handler has ended. If a worker dies, its running jobs run again. This is the
/// default. Name it for an entrypoint of a queue whose own policy is at_most_once.
struct at_least_once {
    using policy_category = delivery_tag;
    static constexpr bool acknowledges_first = false;
};

static_assert(delivery_policy<at_least_once>);

}  // namespace pgq::delivery
