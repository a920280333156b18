#include <pgq/backoff/none.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/observer/opentelemetry.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/jobs.hpp"

#include <opentelemetry/exporters/memory/in_memory_data.h>
#include <opentelemetry/exporters/memory/in_memory_span_exporter_factory.h>
#include <opentelemetry/sdk/trace/simple_processor_factory.h>
#include <opentelemetry/sdk/trace/span_data.h>
#include <opentelemetry/sdk/trace/tracer_provider_factory.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

// Against the SDK of OpenTelemetry and its exporter in memory. Where they are not installed, this file is not built.
namespace unit_observer_opentelemetry {

using namespace pgq;
using observer::trace_relation;
using test::letter;
using test::note;

namespace api = opentelemetry::trace;
namespace sdk = opentelemetry::sdk::trace;
namespace memory = opentelemetry::exporter::memory;

namespace {

using traced_queue =
    queue<note, letter, driver::memory, serializer::json, backoff::none, executor::in_place, observer::opentelemetry>;

struct fixture {
    std::shared_ptr<memory::InMemorySpanData> data{};
    std::shared_ptr<api::TracerProvider> provider = make();
    opentelemetry::nostd::shared_ptr<api::Tracer> tracer = provider->GetTracer("test");

    std::shared_ptr<api::TracerProvider> make() {
        auto exporter = memory::InMemorySpanExporterFactory::Create(data);
        return sdk::TracerProviderFactory::Create(sdk::SimpleSpanProcessorFactory::Create(std::move(exporter)));
    }
    traced_queue queue(observer::opentelemetry_options options = {}) const {
        return traced_queue{{}, {}, executor::in_place{}, observer::opentelemetry{tracer, options}};
    }
};

worker_options usual() { return {.max_attempts = 2, .until = run_until::empty}; }
std::string text(opentelemetry::nostd::string_view v) { return {v.data(), v.size()}; }
std::string text(const sdk::SpanData& s, const std::string& name) {
    const auto found = s.GetAttributes().find(name);
    return found == s.GetAttributes().end() ? "" : opentelemetry::nostd::get<std::string>(found->second);
}
// "process note 1": with the attempt.
std::string label(const sdk::SpanData& s) {
    const auto found = s.GetAttributes().find("messaging.pgq.attempt");
    if (found == s.GetAttributes().end()) return text(s.GetName());
    return text(s.GetName()) + " " + std::to_string(opentelemetry::nostd::get<std::int64_t>(found->second));
}
template <class Spans>
const sdk::SpanData& find(const Spans& all, std::string_view wanted) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& s) { return label(*s) == wanted; });
    if (found == all.end()) throw std::out_of_range{std::string{wanted}};
    return **found;
}

std::string traceparent_of(const sdk::SpanData& s) {
    std::string out(55, '-');
    out.replace(0, 3, "00-");
    s.GetTraceId().ToLowerBase16(opentelemetry::nostd::span<char, 32>{out.data() + 3, 32});
    s.GetSpanId().ToLowerBase16(opentelemetry::nostd::span<char, 16>{out.data() + 36, 16});
    return out.replace(53, 2, "01");
}

}  // namespace

TEST_CASE("OpenTelemetry gets a trace from a producer through two attempts to a child job", "[observer][otel]") {
    fixture f;
    const auto relation = GENERATE(trace_relation::links, trace_relation::parent);
    auto jobs = f.queue({.relation = relation});
    jobs.enqueue(note{1, "x"}).value();
    api::SpanContext in_handler = api::SpanContext::GetInvalid();
    test::run_until_empty(
        jobs, usual(),
        [&](const note&, context& c) {
            if (c.attempt() == 1) throw std::runtime_error{"first"};
            in_handler = f.tracer->GetCurrentSpan()->GetContext();
            auto own = f.tracer->StartSpan("own");
            jobs.enqueue(letter{2}).value();
            own->End();
        },
        [](const letter&) {});
    const auto all = f.data->GetSpans();
    REQUIRE(all.size() == 6);

    const auto& sent = find(all, "send note");
    CHECK(sent.GetSpanKind() == api::SpanKind::kProducer);
    CHECK(text(sent, "messaging.system") == "pgq");
    CHECK(text(sent, "messaging.operation.name") == "send");
    CHECK(text(sent, "messaging.destination.name") == "note");
    CHECK(text(sent, "messaging.message.id") == "1");

    const auto& first = find(all, "process note 1");
    const auto& second = find(all, "process note 2");
    const auto& last = find(all, "process letter 1");
    CHECK(first.GetSpanKind() == api::SpanKind::kConsumer);
    CHECK(first.GetStatus() == api::StatusCode::kError);
    CHECK(text(first.GetDescription()) == "first");
    CHECK(text(first, "error.type") == "retry");
    CHECK(second.GetStatus() == api::StatusCode::kUnset);
    CHECK(second.GetSpanContext() == in_handler);
    CHECK(find(all, "own").GetParentSpanId() == second.GetSpanId());
    CHECK(find(all, "send letter").GetParentSpanId() == second.GetSpanId());

    for (const auto* const s : {&first, &second}) {
        if (relation == trace_relation::parent) {
            CHECK(s->GetParentSpanId() == sent.GetSpanId());
            CHECK(s->GetTraceId() == sent.GetTraceId());
            CHECK(s->GetLinks().empty());
        } else {
            CHECK_FALSE(s->GetParentSpanId().IsValid());
            CHECK_FALSE(s->GetTraceId() == sent.GetTraceId());
            REQUIRE(s->GetLinks().size() == 1);
            // Not the flags: the SDK sets one of level 2, and pgq passes on those of level 1.
            CHECK(s->GetLinks()[0].GetSpanContext().trace_id() == sent.GetTraceId());
            CHECK(s->GetLinks()[0].GetSpanContext().span_id() == sent.GetSpanId());
        }
    }
    CHECK((last.GetTraceId() == sent.GetTraceId()) == (relation == trace_relation::parent));
}

TEST_CASE("an active span is the parent of a call that enqueues, or the current context", "[observer][otel]") {
    fixture f;
    auto jobs = f.queue();
    const auto outside = *trace::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "vendor=1");
    const trace::scope here{outside};
    api::SpanContext active = api::SpanContext::GetInvalid();
    SECTION("an active span goes first") {
        const auto span = f.tracer->StartSpan("request");
        active = span->GetContext();
        const api::Scope scope{span};
        jobs.enqueue(note{1, ""}).value();
    }
    SECTION("then pgq's own") { jobs.enqueue(note{1, ""}).value(); }
    const auto all = f.data->GetSpans();
    const auto& sent = find(all, "send note");
    if (active.IsValid()) CHECK(sent.GetParentSpanId() == active.span_id());
    else {
        CHECK(traceparent_of(sent).substr(0, 35) == "00-0af7651916cd43dd8448eb211c80319c");
        CHECK(sent.GetSpanContext().trace_state()->ToHeader() == "vendor=1");
    }
    test::run_until_empty(
        jobs, usual(),
        [&](const note&, context& c) {
            CHECK(c.header_value("traceparent") == traceparent_of(sent));
            CHECK(c.header_value("tracestate").has_value() == !active.IsValid());
        },
        [](const letter&) {});
}

TEST_CASE("a batch of OpenTelemetry is one span with a link for each job", "[observer][otel]") {
    fixture f;
    auto jobs = f.queue({.relation = trace_relation::parent});
    jobs.enqueue(note{1, ""}).value();
    jobs.enqueue(note{2, ""}).value();
    test::run_until_empty(
        jobs, usual(), [](std::span<const note>) {}, [](const letter&) {});
    const auto all = f.data->GetSpans();
    const auto& batch = find(all, "process note");
    REQUIRE(batch.GetLinks().size() == 2);
    CHECK(batch.GetLinks()[0].GetAttributes().count("messaging.message.id") == 1);
    CHECK_FALSE(batch.GetParentSpanId().IsValid());
}

TEST_CASE("an error is the status of the span of a call", "[observer][otel]") {
    fixture f;
    auto jobs = f.queue();
    CHECK_FALSE(jobs.enqueue(note{1, ""}, {.headers = {{"bad", std::string_view{"\0", 1}}}}));
    const auto all = f.data->GetSpans();
    CHECK(find(all, "send note").GetStatus() == api::StatusCode::kError);
}

TEST_CASE("without a provider there are no headers", "[observer][otel]") {
    traced_queue jobs;
    jobs.enqueue(note{1, ""}).value();
    test::run_until_empty(
        jobs, usual(),
        [](const note&, context& c) {
            CHECK(c.headers().empty());
            CHECK_FALSE(c.trace());
        },
        [](const letter&) {});
}

}  // namespace unit_observer_opentelemetry
