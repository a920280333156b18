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

/// Converts payloads to bytes and back. The concept `serializer_for` says for which job types.
///
/// `write(job, out)` appends the bytes. If it fails, it may leave a part of them in `out`, which the caller removes.
/// `read(body, job)` sets every member of `job`, because the worker uses a job object again. A payload that is written
/// and read is equal to the original. Several threads call both at once. Test your own with
/// pgq/testing/laws/serializer.hpp.
template <class S>
concept serializer_policy = policy_of<S, serializer_tag>;

template <class S, class Job>
concept serializer_for = serializer_policy<S> && can_write<S, Job> && can_read<S, Job>;

/// Whether the database stores what handlers of the job return: the job type has a member type `result`, which its
/// serializer can read and write.
template <class Job, class Serializer>
inline constexpr bool keeps_result = false;
template <class Job, class Serializer>
    requires requires { typename Job::result; }
inline constexpr bool keeps_result<Job, Serializer> =
    can_write<Serializer, typename Job::result> && can_read<Serializer, typename Job::result>;

/// A serializer that encrypts; it declares `static constexpr bool encrypts = true`. A job with `sensitive` members
/// requires one. An inner serializer that can write such members, when it is wrapped by an encrypting one, names its
/// variant that does: `using revealing = ...`.
template <class S>
concept encrypting_serializer = serializer_policy<S> && requires {
    requires S::encrypts;
};

/// What is wrong with the template arguments of a serializer. A serializer declares `static constexpr serializer_error
/// flaw`; a queue that gets it then does not compile, with a message.
enum class serializer_error {
    none,
    inner_is_no_serializer,
    incomplete_keys,
    compresses_ciphertext,
};

template <class S>
inline constexpr serializer_error serializer_error_of =
    serializer_policy<S> ? serializer_error::none : serializer_error::inner_is_no_serializer;
template <serializer_policy S>
    requires requires {
        { S::flaw } -> std::convertible_to<serializer_error>;
    }
inline constexpr serializer_error serializer_error_of<S> = S::flaw;

}  // namespace pgq
