#pragma once

#include <pgq/job/id.hpp>
#include <pgq/observer/messaging.hpp>
#include <pgq/observer/span_attribute.hpp>
#include <pgq/trace/context.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pgq::observer {

/// As in OpenTelemetry.
enum class span_kind : std::uint8_t { client, producer, consumer };

constexpr std::string_view name_of(span_kind k) noexcept {
    constexpr std::string_view names[] = {"client", "producer", "consumer"};
    return names[static_cast<std::size_t>(k)];
}

/// Points from a span to a span of this or of another trace.
struct span_link {
    trace::context to{};
    job_id job{};  ///< which job of a batch it is about; 0 if it is about a call
};

/// A span that has ended. All views in it are valid only during the call of the sink.
struct span_record {
    std::string_view operation{};   ///< "send", "create" or "process"
    std::string_view entrypoint{};  ///< empty: of several
    span_kind kind = span_kind::consumer;
    trace::context context{};
    trace::span_id parent{};  ///< not set: the span is the root of its trace
    std::chrono::system_clock::time_point began{};
    std::chrono::nanoseconds duration{};
    std::span<const span_link> links{};
    std::span<const span_attribute> attributes{};
    bool failed = false;
    std::string_view message{};  ///< of the failure; the first 1000 bytes

    /// "process mail".
    std::string name() const { return messaging::span_name(operation, entrypoint); }
};

}  // namespace pgq::observer
