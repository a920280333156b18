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
struct entrypoint_not_constant {
    static_assert(never<Job>,
                  "pgq: the entrypoint of a job type is not a constant. Write `static constexpr std::string_view "
                  "entrypoint = \"name\";`.");
};

template <class Job>
struct entrypoint_not_text {
    static_assert(never<Job>,
                  "pgq: the entrypoint of a job type holds a zero byte or invalid UTF-8. Write it in UTF-8.");
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

/// `Struct` is the job type, or a type inside of it.
template <class Struct>
struct member_left_out {
    static_assert(never<Struct>,
                  "pgq: BOOST_HANA_ADAPT_STRUCT lists fewer members than a job type has. List them all, or write "
                  "`static constexpr bool partly_adapted = true;` in the struct: the others are then not stored.");
};

template <class Struct>
struct member_listed_twice {
    static_assert(never<Struct>, "pgq: BOOST_HANA_ADAPT_STRUCT lists a member of a job type twice. List it once.");
};

template <class Job>
struct result_is_no_value {
    static_assert(never<Job>,
                  "pgq: the `result` of a job type is void, a reference or const. Remove it, or name the type of a "
                  "value.");
};

template <class Job, class Result, class Serializer>
struct result_not_supported {
    static_assert(never<Job, Result, Serializer>,
                  "pgq: the serializer cannot write and read the `result` of a job type. Adapt that struct with "
                  "BOOST_HANA_ADAPT_STRUCT, give it a default constructor, or change the type.");
};

}  // namespace pgq::diagnostic
