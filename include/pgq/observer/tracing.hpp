#pragma once

#include <pgq/concept/tracer.hpp>
#include <pgq/observer/log_record.hpp>
#include <pgq/observer/messaging.hpp>
#include <pgq/observer/span_attribute.hpp>
#include <pgq/observer/span_record.hpp>
#include <pgq/observer/trace_relation.hpp>
#include <pgq/trace/context.hpp>
#include <pgq/trace/current.hpp>
#include <pgq/trace/operation.hpp>
#include <pgq/trace/random_id.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgq::observer {

struct tracing_options {
    trace_relation relation = trace_relation::links;
    /// The share of traces that are recorded, from 0 to 1, where nothing else decides it: a span has the decision of
    /// its parent, and an attempt that of the spans that it links to.
    double sampled_share = 1;
    /// If true, jobs for which the caller sets `packed` get no context: they stay in packs, and their attempts have no
    /// link. If false, they get one, and are stored in rows of their own. The attribute `messaging.pgq.packed` of the
    /// span of the call says which of both.
    bool packs_without_trace = false;
};

namespace detail {

/// A span that has begun.
struct open_span {
    trace::context mine{};
    trace::span_id parent{};
    std::chrono::system_clock::time_point began{};
    std::chrono::steady_clock::time_point steady{};

    /// `parent`: null for the root of a new trace, of which `sampled(trace)` decides whether it is recorded.
    template <class Sampled>
    static open_span begin(const trace::context* parent, Sampled sampled) noexcept {
        open_span s;
        s.mine.span = trace::random_id<trace::span_id>();
        if (parent != nullptr) {
            s.mine.trace = parent->trace;
            s.mine.sampled = parent->sampled;
            s.mine.state = parent->state;
            s.parent = parent->span;
        } else {
            s.mine.trace = trace::random_id<trace::trace_id>();
            s.mine.sampled = sampled(s.mine.trace);
        }
        if (s.mine.sampled) {
            s.began = std::chrono::system_clock::now();
            s.steady = std::chrono::steady_clock::now();
        }
        return s;
    }
    span_record ended() const noexcept {
        span_record r;
        r.context = mine;
        r.parent = parent;
        r.began = began;
        r.duration = std::chrono::steady_clock::now() - steady;
        return r;
    }
};

}  // namespace detail

/// A tracer of W3C Trace Context without another library. `Sink` is called with a `const span_record&` when a span
/// ends. Several threads call it at once, between the steps of a job; an exception that leaves it ends the program.
/// Only spans that are recorded reach it.
///
/// The span of a call that enqueues is a child of the current context of its thread (`trace::current()`), or of a
/// `traceparent` that the caller gives in the headers. See observer::span_collector for a sink.
template <class Sink>
class tracing {
    static_assert(std::is_invocable_v<Sink&, const span_record&>,
                  "pgq: the sink of observer::tracing cannot be called with a `const pgq::observer::span_record&`. "
                  "Give it such an operator().");

public:
    using policy_category = observer_tag;

    tracing() = default;
    explicit tracing(Sink sink, tracing_options options = {}) : sink_{std::move(sink)}, options_{options} {}

    Sink& sink() noexcept { return sink_; }

    class send_span {
    public:
        send_span(tracing& by, const trace::send_begin& b) noexcept
            : by_{&by}, begin_{b}, open_{by.begin(b.given != nullptr ? b.given : trace::current(), {})} {
            if (b.packed && by.options_.packs_without_trace) begin_.carried = false;
        }
        const trace::context* context() const noexcept { return begin_.carried ? &open_.mine : nullptr; }
        void end(const trace::send_end& e) noexcept {
            if (!open_.mine.sampled) return;
            span_record r = open_.ended();
            r.operation = messaging::operation_of(begin_);
            r.entrypoint = begin_.entrypoint;
            r.kind = begin_.carried ? span_kind::producer : span_kind::client;
            detail::attribute_list attributes;
            messaging::describe(begin_, attributes);
            messaging::describe(e, attributes);
            r.attributes = attributes.all();
            r.failed = e.error != nullptr;
            if (r.failed) r.message = detail::cut(e.error->message, messaging::longest_message);
            by_->sink_(std::as_const(r));
        }

    private:
        tracing* by_;
        trace::send_begin begin_;
        detail::open_span open_;
    };

    class process_span {
    public:
        process_span(tracing& by, const trace::process_begin& b) noexcept
            : by_{&by}, begin_{b}, first_{b.jobs[0]}, open_{by.begin(by.parent_of(b), b.jobs)} {
            if (b.jobs.size() > 1 && open_.mine.sampled) all_.assign(b.jobs.begin(), b.jobs.end());
        }
        const trace::context* context() const noexcept { return &open_.mine; }
        trace::scope activate() const noexcept { return trace::scope{open_.mine}; }
        void end(const trace::process_end& e) noexcept {
            if (!open_.mine.sampled) return;
            begin_.jobs = all_.empty() ? std::span{&first_, 1} : std::span<const trace::processed_job>{all_};
            span_record r = open_.ended();
            r.operation = messaging::operation_of(begin_);
            r.entrypoint = begin_.entrypoint;
            detail::attribute_list attributes;
            messaging::describe(begin_, attributes);
            messaging::describe(e, attributes);
            r.attributes = attributes.all();
            r.failed = messaging::is_error(e.what);
            r.message = detail::cut(e.reason, messaging::longest_message);
            std::array<span_link, messaging::most_links> links;
            r.links = {links.data(), put_links(links)};
            by_->sink_(std::as_const(r));
        }

    private:
        std::size_t put_links(std::span<span_link> out) const noexcept {
            std::size_t count = 0;
            for (const trace::processed_job& j : begin_.jobs)
                if (j.created_in && j.created_in->span != open_.parent && count < out.size())
                    out[count++] = {.to = *j.created_in, .job = j.id};
            return count;
        }

        tracing* by_;
        trace::process_begin begin_;
        trace::processed_job first_;
        std::vector<trace::processed_job> all_{};  // empty if there is one
        detail::open_span open_;
    };

    send_span start_send(const trace::send_begin& b) noexcept { return {*this, b}; }
    process_span start_process(const trace::process_begin& b) noexcept { return {*this, b}; }

private:
    const trace::context* parent_of(const trace::process_begin& b) const noexcept {
        const bool child = options_.relation == trace_relation::parent && b.jobs.size() == 1 && b.jobs[0].created_in;
        return child ? &*b.jobs[0].created_in : nullptr;
    }
    detail::open_span begin(const trace::context* parent, std::span<const trace::processed_job> links) noexcept {
        return detail::open_span::begin(parent, [&](const trace::trace_id& trace) {
            const auto linked = [](const trace::processed_job& j) { return j.created_in.has_value(); };
            if (std::none_of(links.begin(), links.end(), linked)) return in_sample(trace);
            return std::any_of(links.begin(), links.end(),
                               [](const trace::processed_job& j) { return j.created_in && j.created_in->sampled; });
        });
    }
    // By the random part of the id: tracers with the same share agree.
    bool in_sample(const trace::trace_id& trace) const noexcept {
        if (options_.sampled_share >= 1) return true;
        std::uint64_t random = 0;
        for (std::size_t i = 9; i < 16; ++i) random = random << 8U | trace.bytes[i];
        constexpr double whole = 72057594037927936.0;  // 2^56
        return static_cast<double>(random) < options_.sampled_share * whole;
    }

    [[no_unique_address]] Sink sink_{};
    tracing_options options_{};
};

}  // namespace pgq::observer
