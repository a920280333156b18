#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>

namespace pgq {

/// What pgq must know about a job type: its entrypoint. Add `static constexpr std::string_view entrypoint` to your own
/// type. For a type that you cannot change, specialize this template with the same member.
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

/// The name under which the database stores jobs of this type.
template <has_entrypoint Job>
inline constexpr std::string_view entrypoint_of = job_traits<Job>::entrypoint;

/// The longest name of an entrypoint or a queue, in bytes.
inline constexpr std::size_t max_name_bytes = 255;

}  // namespace pgq
