#pragma once

#include <pgq/diagnostic/never.hpp>
#include <pgq/job/traits.hpp>

#include <concepts>

// Compile-time messages about a job type and its entrypoint.
namespace pgq::diagnostic {

template <class Job>
struct no_entrypoint {
    static_assert(
        has_entrypoint<Job>,
        "pgq: a job type has no entrypoint. Add `static constexpr std::string_view entrypoint = \"name\";` to "
        "it, or specialize pgq::job_traits for it.");
};

template <class Job>
struct empty_entrypoint {
    static_assert(never<Job>, "pgq: the entrypoint of a job type is empty. Give it a name.");
};

template <class Job>
struct long_entrypoint {
    static_assert(entrypoint_of<Job>.size() <= max_name_bytes,
                  "pgq: the entrypoint of a job type is too long. Use at most pgq::max_name_bytes (255) bytes.");
};

template <class First, class Second>
struct same_entrypoint {
    static_assert(
        never<First, Second>,
        "pgq: two jobs of one queue have the same entrypoint. Give each its own name, and name each job once.");
};

template <class Job>
struct no_default_constructor {
    static_assert(std::default_initializable<Job>,
                  "pgq: a job type has no default constructor. Add one: a worker constructs the job and then reads the "
                  "payload into it.");
};

}  // namespace pgq::diagnostic
