#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>

namespace pgq {

/// What pgq needs to know about a job type. A type of one's own says `static constexpr std::string_view entrypoint`;
/// for somebody else's type specialize this with the same member.
template <class Job>
struct job_traits {};

template <class Job>
    requires requires {
        { Job::entrypoint } -> std::convertible_to<std::string_view>;
    }
struct job_traits<Job> {
    static constexpr std::string_view entrypoint = Job::entrypoint;
};

template <class Job>
concept has_entrypoint = requires {
    { job_traits<Job>::entrypoint } -> std::convertible_to<std::string_view>;
};

/// The name stored with jobs of this type.
template <has_entrypoint Job>
inline constexpr std::string_view entrypoint_of = job_traits<Job>::entrypoint;

/// The longest name of an entrypoint or a queue, in bytes.
inline constexpr std::size_t max_name_bytes = 255;

}  // namespace pgq
