#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/error/result.hpp>

#include <concepts>
#include <string>
#include <string_view>

namespace pgq {

template <class S, class Job>
concept can_write = requires(const S& s, const Job& job, std::string& out) {
    { s.write(job, out) } -> std::same_as<result<void>>;
};

template <class S, class Job>
concept can_read = requires(const S& s, std::string_view body, Job& job) {
    { s.read(body, job) } -> std::same_as<result<void>>;
};

/// A class that turns payloads into bytes and back; which payloads, `serializer_for` says.
///
/// `write(job, out)` appends and, when it fails, may leave a part behind that the caller drops. `read(body, job)` sets
/// every member of `job`: a job object is used again and again. What was written reads back equal. Both are called from
/// several threads at once. The laws are in pgq/testing/laws/serializer.hpp.
template <class S>
concept serializer_policy = policy_of<S, serializer_tag>;

template <class S, class Job>
concept serializer_for = serializer_policy<S> && can_write<S, Job> && can_read<S, Job>;

}  // namespace pgq
