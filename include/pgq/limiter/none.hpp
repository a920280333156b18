#pragma once

#include <pgq/concept/limiter.hpp>

namespace pgq::limiter {

/// No limit, and no cost.
struct none {
    using policy_category = limiter_tag;

    void declare(std::vector<limit_spec>&) const noexcept {}
};

static_assert(limiter_policy<none>);

}  // namespace pgq::limiter
