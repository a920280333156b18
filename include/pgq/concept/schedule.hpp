#pragma once

#include <pgq/concept/policy.hpp>

#include <concepts>
#include <string_view>

namespace pgq {

/// A schedule of a job type: `P::expression` is the cron expression, a static constant.
///
/// It may have a static function `set(o)`, which changes the `schedule_options` of the schedule, and a static function
/// `find_zone(name)`, which a worker uses as `scheduler_options::zones`.
template <class P>
concept schedule_policy = policy_of<P, schedule_tag> && requires {
    { P::expression } -> std::convertible_to<std::string_view>;
};

/// An option of schedule::cron: `O::set(o)` changes the `schedule_options`, `O::is_valid` says whether its own
/// arguments are in range.
template <class O>
concept schedule_option = policy_of<O, schedule_zone_tag> || policy_of<O, schedule_jitter_tag> ||
    policy_of<O, schedule_missed_tag> || policy_of<O, schedule_overlap_tag>;

}  // namespace pgq
