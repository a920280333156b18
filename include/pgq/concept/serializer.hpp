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

/// Whether what handlers of the job return is kept for who waits: the job names a `result` that its serializer reads and writes.
template <class Job, class Serializer>
inline constexpr bool keeps_result = false;
template <class Job, class Serializer>
    requires requires { typename Job::result; }
inline constexpr bool keeps_result<Job, Serializer> =
    can_write<Serializer, typename Job::result> && can_read<Serializer, typename Job::result>;

/// A serializer whose bytes show nothing of what is in them; it says `static constexpr bool encrypts = true`. Jobs with
/// `sensitive` members need one. Inside of one, another serializer may write such members too: it names the form of
/// itself that does, `using revealing = ...`.
template <class S>
concept encrypting_serializer = serializer_policy<S> && requires { requires S::encrypts; };

/// What is wrong with a serializer's own template arguments. It says so by `static constexpr serializer_flaw flaw`, and a
/// queue that is given it turns that into a message.
enum class serializer_flaw {
    none,
    inner_is_no_serializer,
    incomplete_keys,
    compresses_ciphertext,
};

template <class S>
inline constexpr serializer_flaw flaw_of = serializer_policy<S> ? serializer_flaw::none
                                                                : serializer_flaw::inner_is_no_serializer;
template <serializer_policy S>
    requires requires { { S::flaw } -> std::convertible_to<serializer_flaw>; }
inline constexpr serializer_flaw flaw_of<S> = S::flaw;

}  // namespace pgq
