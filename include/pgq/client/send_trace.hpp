#pragma once

#include <pgq/concept/tracer.hpp>
#include <pgq/error/error_info.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/protocol/enqueue_batch.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/trace/context.hpp>
#include <pgq/trace/headers.hpp>
#include <pgq/trace/operation.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgq::detail {

/// The options of a call that has the same for all of its jobs.
struct same_options {
    const enqueue_options* options;
    template <class Job>
    const enqueue_options& operator()(const Job&) const noexcept {
        return *options;
    }
};

/// The span of one call that enqueues, for a queue with a tracer. It adds the headers of its context to the options of
/// the jobs; the options refer to it then. A job with a valid `traceparent` of the caller's keeps that.
template <class Tracer>
class send_trace {
public:
    /// `same`: the options of all jobs, or null.
    send_trace(Tracer& tracer, trace::send_begin begin, const enqueue_options* same)
        : given_{same == nullptr ? std::nullopt : trace::read(same->headers)}, span_{start(tracer, begin, same)} {
        if (!begin.carried || given_) return;
        if (const trace::context* const mine = span_.context()) own_.emplace(*mine);
    }
    /// An exception that leaves the call ends the span, too.
    ~send_trace() {
        if (ended_) return;
        const error_info thrown{std::make_error_code(std::errc::operation_canceled), "an exception was thrown"};
        end({.error = &thrown});
    }
    send_trace(const send_trace&) = delete;
    send_trace& operator=(const send_trace&) = delete;

    enqueue_options with_headers(enqueue_options o) {
        if (!own_ || trace::read(o.headers)) return o;
        if (o.headers.empty()) {
            o.headers = own_->all();
            return o;
        }
        auto& all = lists_.emplace_back();
        for (const header& h : o.headers)
            if (!trace::is_trace_header(h.name)) all.push_back(h);
        all.insert(all.end(), own_->all().begin(), own_->all().end());
        o.headers = all;
        return o;
    }
    /// The same as a function from a job to its options.
    template <class OptionsOf>
    auto over(OptionsOf& options_of) {
        return [this, &options_of](const auto& job) { return with_headers(options_of(job)); };
    }

    void end(const trace::send_end& e) noexcept {
        ended_ = true;
        span_.end(e);
    }

private:
    auto start(Tracer& tracer, trace::send_begin& begin, const enqueue_options* same) noexcept {
        begin.given = given_ ? &*given_ : nullptr;
        begin.carried = begin.carried && !given_;
        begin.packed = same != nullptr && same->packed;
        return tracer.start_send(begin);
    }

    using span_type = decltype(std::declval<Tracer&>().start_send(std::declval<const trace::send_begin&>()));

    std::optional<trace::context> given_;
    span_type span_;
    bool ended_ = false;
    std::optional<trace::headers> own_{};
    std::list<std::vector<header>> lists_{};
};

// What an answer says about the jobs that were sent.
inline trace::send_end sent(std::span<const job_id> ids) noexcept {
    return {.count = ids.size(), .only = ids.size() == 1 ? ids.front() : job_id{}};
}
inline trace::send_end sent(std::span<const enqueued_job> jobs) noexcept {
    return {.count = jobs.size(), .only = jobs.size() == 1 ? jobs.front().id : job_id{}};
}
inline trace::send_end sent(const enqueue_batch& batch) noexcept { return {.count = batch.size()}; }
inline trace::send_end sent(std::int64_t count) noexcept { return {.count = static_cast<std::size_t>(count)}; }

/// Calls `call(options_of)`, inside a span if the observer has a tracer. `options_of(job)` returns the options of a
/// job; `call` returns a result.
template <class Observer, class OptionsOf, class Call>
auto traced(Observer& observer, const trace::send_begin& begin, OptionsOf& options_of, Call call) {
    if constexpr (!has_tracer<Observer>) {
        (void)observer, (void)begin;
        return call(options_of);
    } else {
        const enqueue_options* same = nullptr;
        if constexpr (std::same_as<std::remove_const_t<OptionsOf>, same_options>) same = options_of.options;
        send_trace<tracer_of_t<Observer>> span{tracer_of(observer), begin, same};
        const auto with_trace = span.over(options_of);
        auto answer = call(with_trace);
        span.end(answer ? sent(*answer) : trace::send_end{.error = &answer.error()});
        return answer;
    }
}

}  // namespace pgq::detail
