#pragma once

#include <pgq/concept/tracer.hpp>
#include <pgq/observer/log_record.hpp>
#include <pgq/observer/messaging.hpp>
#include <pgq/observer/span_attribute.hpp>
#include <pgq/observer/trace_relation.hpp>
#include <pgq/trace/context.hpp>
#include <pgq/trace/current.hpp>
#include <pgq/trace/operation.hpp>
#include <pgq/version.hpp>

#include <opentelemetry/context/context.h>
#include <opentelemetry/context/runtime_context.h>
#include <opentelemetry/trace/context.h>
#include <opentelemetry/trace/provider.h>
#include <opentelemetry/trace/scope.h>
#include <opentelemetry/trace/span_startoptions.h>
#include <opentelemetry/trace/trace_state.h>
#include <opentelemetry/trace/tracer.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pgq::observer {
namespace detail::otel {

namespace api = ::opentelemetry::trace;
namespace common = ::opentelemetry::common;
namespace nostd = ::opentelemetry::nostd;

using attribute = std::pair<nostd::string_view, common::AttributeValue>;
using attributes = std::vector<attribute>;
using link = std::pair<api::SpanContext, attributes>;

inline nostd::string_view view(std::string_view text) noexcept { return {text.data(), text.size()}; }

inline common::AttributeValue value_of(const span_attribute& a) noexcept {
    return std::visit(
        [](auto value) -> common::AttributeValue {
            if constexpr (std::is_same_v<decltype(value), std::string_view>) return view(value);
            else return value;
        },
        a.value);
}
inline attributes start_attributes(const attribute_list& list) {
    attributes all;
    for (const span_attribute& a : list.all()) all.emplace_back(view(a.name), value_of(a));
    return all;
}

inline api::SpanContext to_api(const trace::context& c) noexcept {
    const auto flags = static_cast<std::uint8_t>(c.sampled ? api::TraceFlags::kIsSampled : 0);
    return {api::TraceId{nostd::span<const std::uint8_t, 16>{c.trace.bytes.data(), 16}},
            api::SpanId{nostd::span<const std::uint8_t, 8>{c.span.bytes.data(), 8}}, api::TraceFlags{flags}, true,
            api::TraceState::FromHeader(view(c.state))};
}

/// A span of the API with what the library wants to know of it.
struct open_span {
    nostd::shared_ptr<api::Span> span;
    std::unique_ptr<std::string> state;  // elsewhere: `mine` refers to it, and this moves
    trace::context mine{};

    explicit open_span(nostd::shared_ptr<api::Span> started) : span{std::move(started)} {
        const api::SpanContext c = span->GetContext();
        const auto trace = c.trace_id().Id();
        const auto id = c.span_id().Id();
        std::copy(trace.begin(), trace.end(), mine.trace.bytes.begin());
        std::copy(id.begin(), id.end(), mine.span.bytes.begin());
        mine.sampled = c.IsSampled();
        if (c.trace_state()->Empty()) return;
        state = std::make_unique<std::string>(c.trace_state()->ToHeader());
        mine.state = *state;
    }
    /// Null if the provider makes no spans.
    const trace::context* context() const noexcept { return mine.is_valid() ? &mine : nullptr; }

    void end(const attribute_list& list, bool failed, std::string_view message) noexcept {
        for (const span_attribute& a : list.all()) span->SetAttribute(view(a.name), value_of(a));
        if (failed) span->SetStatus(api::StatusCode::kError, view(detail::cut(message, messaging::longest_message)));
        span->End();
    }
};

}  // namespace detail::otel

struct opentelemetry_options {
    trace_relation relation = trace_relation::links;
    bool packs_without_trace = false;  ///< as in tracing_options
};

/// A tracer on the C++ API of OpenTelemetry, version 1.
///
/// The span of a call that enqueues is a child of the active span, or of a `traceparent` that the caller gives in the
/// headers. The span of an attempt is active while its handler runs, unless that is a coroutine. Sampling and limits
/// are those of the tracer. Without one it takes that of the global provider when it is made: set the provider before.
class opentelemetry {
    using tracer_pointer = ::opentelemetry::nostd::shared_ptr<::opentelemetry::trace::Tracer>;

public:
    using policy_category = observer_tag;

    explicit opentelemetry(opentelemetry_options options = {})
        : opentelemetry{::opentelemetry::trace::Provider::GetTracerProvider()->GetTracer("pgq", PGQ_VERSION), options} {
    }
    explicit opentelemetry(tracer_pointer tracer, opentelemetry_options options = {})
        : tracer_{std::move(tracer)}, options_{options} {}

    class send_span {
    public:
        send_span(detail::otel::open_span span, bool carried) noexcept : span_{std::move(span)}, carried_{carried} {}

        const trace::context* context() const noexcept { return carried_ ? span_.context() : nullptr; }
        void end(const trace::send_end& e) noexcept {
            detail::attribute_list attributes;
            messaging::describe(e, attributes);
            const bool failed = e.error != nullptr;
            span_.end(attributes, failed, failed ? std::string_view{e.error->message} : std::string_view{});
        }

    private:
        detail::otel::open_span span_;
        bool carried_;
    };

    class process_span {
        struct active {
            ::opentelemetry::trace::Scope theirs;
            trace::scope ours;
        };

    public:
        explicit process_span(detail::otel::open_span span) noexcept : span_{std::move(span)} {}

        const trace::context* context() const noexcept { return span_.context(); }
        active activate() const noexcept {
            return {::opentelemetry::trace::Scope{span_.span}, trace::scope{span_.mine}};
        }
        void end(const trace::process_end& e) noexcept {
            detail::attribute_list attributes;
            messaging::describe(e, attributes);
            span_.end(attributes, messaging::is_error(e.what), e.reason);
        }

    private:
        detail::otel::open_span span_;
    };

    send_span start_send(trace::send_begin b) noexcept {
        using namespace detail::otel;
        if (b.packed && options_.packs_without_trace) b.carried = false;
        api::StartSpanOptions how;
        how.kind = b.carried ? api::SpanKind::kProducer : api::SpanKind::kClient;
        if (b.given != nullptr) how.parent = to_api(*b.given);
        else if (trace::current() != nullptr && !has_active_span()) how.parent = to_api(*trace::current());
        detail::attribute_list list;
        messaging::describe(b, list);
        return {start(messaging::operation_of(b), b.entrypoint, list, {}, how), b.carried};
    }

    process_span start_process(const trace::process_begin& b) noexcept {
        using namespace detail::otel;
        api::StartSpanOptions how;
        how.kind = api::SpanKind::kConsumer;
        const bool child = options_.relation == trace_relation::parent && b.jobs.size() == 1 && b.jobs[0].created_in;
        if (child) how.parent = to_api(*b.jobs[0].created_in);
        else how.parent = ::opentelemetry::context::Context{api::kIsRootSpanKey, true};
        std::vector<std::string> ids;
        ids.reserve(b.jobs.size());
        std::vector<link> links;
        for (const trace::processed_job& j : b.jobs) {
            if (child || !j.created_in || links.size() == messaging::most_links) continue;
            links.push_back({to_api(*j.created_in), {}});
            if (b.in_batch) links.back().second = {{"messaging.message.id", view(ids.emplace_back(digits(j.id)))}};
        }
        detail::attribute_list list;
        messaging::describe(b, list);
        return process_span{start(messaging::operation_of(b), b.entrypoint, list, links, how)};
    }

private:
    static bool has_active_span() noexcept {
        const auto current = ::opentelemetry::context::RuntimeContext::GetCurrent();
        return ::opentelemetry::trace::GetSpan(current)->GetContext().IsValid();
    }
    static std::string digits(job_id id) { return std::to_string(id.value); }

    detail::otel::open_span start(std::string_view operation, std::string_view entrypoint,
                                  const detail::attribute_list& list, const std::vector<detail::otel::link>& links,
                                  const ::opentelemetry::trace::StartSpanOptions& how) {
        using namespace detail::otel;
        const std::string name = messaging::span_name(operation, entrypoint);
        return open_span{tracer_->StartSpan(view(name), start_attributes(list), links, how)};
    }

    tracer_pointer tracer_;
    opentelemetry_options options_;
};

static_assert(tracer<opentelemetry>);

}  // namespace pgq::observer
