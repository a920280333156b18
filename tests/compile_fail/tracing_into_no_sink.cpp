// expect: pgq: the sink of observer::tracing cannot be called with a `const pgq::observer::span_record&`\. Give it such
// within: 10 lines

#include "fakes.hpp"

#include <pgq/observer/tracing.hpp>

struct sink {
    void operator()(const fakes::mail&) const noexcept {}
};

static_assert(sizeof(pgq::observer::tracing<sink>) != 0);
