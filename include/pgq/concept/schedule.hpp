#pragma once

#include <pgq/concept/policy.hpp>

#include <concepts>
#include <string_view>

namespace pgq {

/// A schedule of a job type: `P::expression` is the cron expression, a static constant.
template <class P>
concept schedule_policy = policy_of<P, schedule_tag> && requires {
    { P::expression } -> std::convertible_to<std::string_view>;
};

}  // namespace pgq
