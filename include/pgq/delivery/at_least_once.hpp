#pragma once

#include <pgq/concept/delivery.hpp>
#include <pgq/concept/policy.hpp>

namespace pgq::delivery {

/// A job is acknowledged when its handler has ended. What was running when a worker died runs again. The default; to be named by an
/// entrypoint of a queue where at_most_once is the rule.
struct at_least_once {
    using policy_category = delivery_tag;
    static constexpr bool acknowledges_first = false;
};

static_assert(delivery_policy<at_least_once>);

}  // namespace pgq::delivery
