#pragma once

#include <pgq/concept/backoff.hpp>
#include <pgq/time/clock.hpp>

namespace pgq::backoff {

/// A failed job is claimable again at once.
struct none {
    using policy_category = backoff_tag;

    static constexpr duration delay(int /*attempt*/) noexcept { return duration::zero(); }

    friend bool operator==(const none&, const none&) = default;
};

static_assert(backoff_policy<none>);

}  // namespace pgq::backoff
