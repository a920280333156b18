#pragma once

#include <pgq/concept/policy.hpp>

#include <concepts>

namespace pgq {

/// Decides when a job is acknowledged. If `acknowledges_first` is true, it is acknowledged before its handler is called
/// and runs at most once. Otherwise it is acknowledged after the handler and runs at least once.
template <class D>
concept delivery_policy = policy_of<D, delivery_tag> && requires {
    { D::acknowledges_first } -> std::convertible_to<bool>;
};

}  // namespace pgq
