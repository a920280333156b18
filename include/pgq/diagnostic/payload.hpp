#pragma once

#include <pgq/concept/serializer.hpp>
#include <pgq/diagnostic/never.hpp>
#include <pgq/job/members.hpp>

// The messages about a job type and the serializer that has to write and read it.
namespace pgq::diagnostic {

template <class Job, class Serializer>
struct not_adapted {
    static_assert(
        adapted<Job>,
        "pgq: the serializer cannot see the members of a job type. Write BOOST_HANA_ADAPT_STRUCT(T, members...) "
        "at namespace scope behind it.");
};

/// `Type` is the member's type, `Member` says which of the job's members it is.
template <class Job, class Member, class Type, class Serializer>
struct member_not_supported {
    static_assert(never<Job, Member, Type, Serializer>,
                  "pgq: the serializer cannot write and read a member of a job type. Change the member's type, or "
                  "specialize pgq::codec for it.");
};

template <class Job, class Serializer>
struct job_not_supported {
    static_assert(never<Job, Serializer>,
                  "pgq: the serializer does not support a job type. Give its entrypoint another serializer, or the job "
                  "type the shape that the serializer asks for.");
};

template <class Job, class Serializer>
struct incomplete_serializer {
    static_assert(serializer_for<Serializer, Job>,
                  "pgq: a serializer lacks write() or read() for a job type. Give it both as in "
                  "pgq/concept/serializer.hpp.");
};

}  // namespace pgq::diagnostic
