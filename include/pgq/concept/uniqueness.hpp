#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/job/unique.hpp>

#include <concepts>
#include <string>

namespace pgq {

/// Gives each job of an entrypoint a unique key, made of the job itself.
///
/// `rule` says how long a key is taken and what happens to a job whose key is: `pgq::unique{}.while_waiting().or_replace()`. The policy
/// has no settings of its own and is never made.
template <class P>
concept uniqueness_policy = policy_of<P, uniqueness_tag> && requires {
    { P::rule } -> std::convertible_to<unique>;
};

/// `P::key(job, out)` appends the key: never the empty one, UTF-8 without zero bytes, and another one for each job that is to be
/// another.
template <class P, class Job>
concept can_name = uniqueness_policy<P> && requires(const Job& job, std::string& out) {
    { P::key(job, out) } -> std::same_as<void>;
};

}  // namespace pgq
