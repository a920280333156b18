#pragma once

#include <pgq/diagnostic/never.hpp>

// The message about what SQL cannot write.
namespace pgq::diagnostic {

template <class Job, class Serializer>
struct payload_not_for_sql {
    static_assert(never<Job, Serializer>,
                  "pgq: emit_sql writes functions for payloads of serializer::json, and a job type has another "
                  "serializer. Name the job types that it is for: emit_sql<Queue, Jobs...>().");
};

}  // namespace pgq::diagnostic
