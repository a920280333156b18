// expect: pgq: an observer::all_of has two tracers, but a job has one place for a trace\. Leave one of them out
// within: 10 lines

#include "fakes.hpp"

#include <pgq/observer/all_of.hpp>
#include <pgq/observer/tracing.hpp>

struct to_a {
    void operator()(const pgq::observer::span_record&) const noexcept {}
};
struct to_b : to_a {};
using both = pgq::observer::all_of<pgq::observer::tracing<to_a>, pgq::observer::tracing<to_b>>;

using broken = pgq::queue<fakes::mail, fakes::driver, fakes::serializer, both>;
static_assert(sizeof(broken) != 0);
