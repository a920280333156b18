#pragma once

#include <pgq/diagnostic/never.hpp>

// The compile-time message about a payload that a SQL function cannot write.
namespace pgq::diagnostic {

template <class Job, class Serializer>
struct payload_not_for_sql {
    static_assert(never<Job, Serializer>,
                  "pgq: emit_sql supports only serializer::json, and a job type has another serializer. Name the job "
                  "types to include: emit_sql<Queue, Jobs...>().");
};

}  // namespace pgq::diagnostic
