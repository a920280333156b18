#pragma once

#include <pgq/concept/observer.hpp>

namespace pgq::observer {

/// Handles no event, and costs nothing.
struct none {
    using policy_category = observer_tag;

    friend bool operator==(const none&, const none&) = default;
};

static_assert(observer_policy<none>);
static_assert(!observes<none, event::job_finished>);

}  // namespace pgq::observer
