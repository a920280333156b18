#pragma once

#include <pgq/concept/policy.hpp>

#include <concepts>

namespace pgq {

/// Says when a job is acknowledged: `acknowledges_first` before its handler is called, and it runs at most once; otherwise after
/// it, and it runs at least once.
template <class D>
concept delivery_policy = policy_of<D, delivery_tag> && requires {
    { D::acknowledges_first } -> std::convertible_to<bool>;
};

}  // namespace pgq
