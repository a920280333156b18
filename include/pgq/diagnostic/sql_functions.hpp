#pragma once

#include <pgq/diagnostic/never.hpp>

// The compile-time message about a payload that a SQL function cannot write.
namespace pgq::diagnostic {

template <class Job, class Serializer>
struct payload_not_for_sql {
    static_assert(never<Job, Serializer>,
                  "pgq: sql_functions writes functions for payloads of serializer::json, and a job type has another "
                  "serializer. Name the job types that it is for: sql_functions<Queue, Jobs...>().");
};

}  // namespace pgq::diagnostic
