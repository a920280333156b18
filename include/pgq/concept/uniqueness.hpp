#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/job/unique.hpp>

#include <concepts>
#include <string>

namespace pgq {

/// Makes a unique key for each job of an entrypoint from its payload.
///
/// `rule` says how long a job keeps its key and what happens to another job with the same key:
/// `pgq::unique{}.while_waiting().or_replace()`. All members are static; the library never creates an object of the
/// policy.
template <class P>
concept uniqueness_policy = policy_of<P, uniqueness_tag> && requires {
    { P::rule } -> std::convertible_to<unique>;
};

/// `P::key(job, out)` appends the key of a job: UTF-8, not empty, without zero bytes. Two jobs that may exist at the
/// same time must have different keys.
template <class P, class Job>
concept can_make_key = uniqueness_policy<P> && requires(const Job& job, std::string& out) {
    { P::key(job, out) } -> std::same_as<void>;
};

}  // namespace pgq
