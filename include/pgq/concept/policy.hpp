#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <concepts>

namespace pgq {

/// The categories of policies. A policy declares its category: `using policy_category = pgq::backoff_tag;`
struct driver_tag {};
struct serializer_tag {};
struct executor_tag {};
struct backoff_tag {};
struct observer_tag {};
struct limiter_tag {};
struct delivery_tag {};
struct uniqueness_tag {};
struct schedule_tag {};
// Of the options of a schedule, such as schedule::zone.
struct schedule_zone_tag {};
struct schedule_jitter_tag {};
struct schedule_missed_tag {};
struct schedule_overlap_tag {};
// Of the settings in compose/settings.hpp.
struct attempts_tag {};
struct timeout_tag {};
struct priority_tag {};
struct delay_tag {};
struct expiry_tag {};
struct keep_outcome_tag {};

template <class P>
concept has_policy_category = requires {
    typename P::policy_category;
};

/// A class that declares the category `Category`.
template <class P, class Category>
concept policy_of = has_policy_category<P> && std::same_as<typename P::policy_category, Category>;

}  // namespace pgq
