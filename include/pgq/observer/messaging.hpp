#pragma once

#include <pgq/error/error_info.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/trace/operation.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// What spans say of jobs, in the words of OpenTelemetry's semantic conventions for messaging. Attributes that these
/// do not have begin with `messaging.pgq.`.
///
/// `put(name, value)` gets each attribute. A value is std::int64_t, bool, a std::string, or a std::string_view, whose
/// text lives as long as the span. Names live for ever.
namespace pgq::observer::messaging {

inline constexpr std::string_view system = "pgq";

/// The word for the operation; the name of the span is this word and the entrypoint.
constexpr std::string_view operation_of(const trace::send_begin& b) noexcept {
    return b.what == trace::send_kind::create ? "create" : "send";
}
constexpr std::string_view operation_of(const trace::process_begin&) noexcept { return "process"; }

/// "send mail"; "send" for a flow of several types.
inline std::string span_name(std::string_view operation, std::string_view entrypoint) {
    std::string name{operation};
    if (!entrypoint.empty()) (name += ' ') += entrypoint;
    return name;
}

namespace detail {

template <class Put>
void put_common(std::string_view operation, std::string_view queue, std::string_view entrypoint, Put& put) {
    put("messaging.system", system);
    put("messaging.operation.name", operation);
    put("messaging.operation.type", operation);
    if (!entrypoint.empty()) put("messaging.destination.name", entrypoint);
    put("messaging.pgq.queue", queue);
}

}  // namespace detail

/// When a call that enqueues begins.
template <class Put>
void describe(const trace::send_begin& b, Put&& put) {
    detail::put_common(operation_of(b), b.queue, b.entrypoint, put);
    if (b.packed) put("messaging.pgq.packed", !b.carried && b.given == nullptr);
}
/// When it ends: one job has an id, several have a number.
template <class Put>
void describe(const trace::send_end& e, Put&& put) {
    if (e.error != nullptr) {
        put("error.type", std::string{e.error->code.category().name()} + ':' + std::to_string(e.error->code.value()));
    } else if (e.count == 1) {
        if (e.only != job_id{}) put("messaging.message.id", std::to_string(e.only.value));
    } else put("messaging.batch.message_count", static_cast<std::int64_t>(e.count));
}

/// When a handler is called.
template <class Put>
void describe(const trace::process_begin& b, Put&& put) {
    detail::put_common(operation_of(b), b.queue, b.entrypoint, put);
    if (b.in_batch) {
        put("messaging.batch.message_count", static_cast<std::int64_t>(b.jobs.size()));
        return;
    }
    put("messaging.message.id", std::to_string(b.jobs[0].id.value));
    put("messaging.pgq.attempt", std::int64_t{b.jobs[0].attempt});
}

/// The span of an attempt is an error if the job failed: it is retried because of that, or held.
constexpr bool is_error(outcome::kind k) noexcept { return k == outcome::kind::retry || k == outcome::kind::hold; }

/// When an attempt ends.
template <class Put>
void describe(const trace::process_end& e, Put&& put) {
    put("messaging.pgq.outcome", name_of(e.what));
    if (is_error(e.what)) put("error.type", name_of(e.what));
}

/// How much of a reason or message goes into the status of a span.
inline constexpr std::size_t longest_message = 1000;

/// How many links a span has at most; the default limit of OpenTelemetry.
inline constexpr std::size_t most_links = 128;

}  // namespace pgq::observer::messaging
