#pragma once

#include <pgq/concept/tracer.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/trace/context.hpp>
#include <pgq/trace/headers.hpp>
#include <pgq/trace/operation.hpp>

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::detail {

/// The span of an attempt, or of a call for a batch. Without a tracer it takes no room and does nothing.
template <class Observer>
class attempt_trace {
    struct nothing {};

public:
    void begin(Observer&, std::string_view, std::string_view, const job_record&) noexcept {}
    template <class RecordOf>
    void begin_batch(Observer&, std::string_view, std::string_view, std::size_t, RecordOf) noexcept {}
    static const trace::context* context() noexcept { return nullptr; }
    static nothing activate() noexcept { return {}; }
    void end(const outcome&) noexcept {}
    void end_one(const outcome&, bool) noexcept {}
};

template <has_tracer Observer>
class attempt_trace<Observer> {
    using tracer_type = tracer_of_t<Observer>;
    using span_type = decltype(std::declval<tracer_type&>().start_process(std::declval<const trace::process_begin&>()));

public:
    void begin(Observer& o, std::string_view queue, std::string_view entrypoint, const job_record& r) noexcept {
        const trace::processed_job only = read(r);
        span_.emplace(tracer_of(o).start_process({.queue = queue, .entrypoint = entrypoint, .jobs = {&only, 1}}));
    }
    /// `record_of(i)` returns job number `i` of the batch.
    template <class RecordOf>
    void begin_batch(Observer& o, std::string_view queue, std::string_view entrypoint, std::size_t size,
                     RecordOf record_of) noexcept {
        std::vector<trace::processed_job> jobs;
        jobs.reserve(size);
        for (std::size_t i = 0; i < size; ++i) jobs.push_back(read(record_of(i)));
        span_.emplace(
            tracer_of(o).start_process({.queue = queue, .entrypoint = entrypoint, .jobs = jobs, .in_batch = true}));
    }
    /// What the handler's context shows.
    const trace::context* context() const noexcept { return span_ ? span_->context() : nullptr; }
    /// While the object that it returns lives, the span is the current one of this thread.
    auto activate() noexcept { return span_->activate(); }
    void end(const outcome& o) noexcept {
        if (!span_) return;
        span_->end({.what = o.what(), .reason = o.reason()});
        span_.reset();
    }
    /// One job of the batch has ended. The span ends with the last one, with the first outcome that is not `done`.
    void end_one(const outcome& o, bool last) noexcept {
        if (span_ && worst_.what() == outcome::kind::done && o.what() != outcome::kind::done) worst_ = o;
        if (last) end(worst_);
    }

private:
    static trace::processed_job read(const job_record& r) noexcept {
        return {.id = r.id, .attempt = r.attempt, .created_in = trace::read(r.headers)};
    }

    std::optional<span_type> span_{};
    outcome worst_{};
};

}  // namespace pgq::detail
