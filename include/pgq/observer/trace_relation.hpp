#pragma once

#include <cstdint>

namespace pgq::observer {

/// How the span of an attempt refers to the call that enqueued the job.
enum class trace_relation : std::uint8_t {
    links,   ///< the attempt begins a trace of its own and links to that span
    parent,  ///< the attempt is a child of that span, in its trace; a batch links even so
};

}  // namespace pgq::observer
