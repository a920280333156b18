#include <pgq/observer/span_collector.hpp>
#include <pgq/observer/tracing.hpp>
#include <pgq/testing/laws/tracer.hpp>

namespace laws_tracer {

using pgq::observer::span_collector;
using pgq::observer::trace_relation;
using tracer = pgq::observer::tracing<span_collector>;

TEST_CASE("observer::tracing keeps the tracer laws", "[laws][observer][tracing]") {
    pgq::laws::check_tracer<tracer>([] { return tracer{}; });
}

TEST_CASE("observer::tracing keeps the tracer laws as a part of the producer's trace", "[laws][observer][tracing]") {
    pgq::laws::check_tracer<tracer>([] { return tracer{span_collector{}, {.relation = trace_relation::parent}}; });
}

}  // namespace laws_tracer
