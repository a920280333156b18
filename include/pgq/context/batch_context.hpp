#pragma once

#include <pgq/context/context.hpp>
#include <pgq/context/resources.hpp>

#include <pgq/job/stop_reason.hpp>
#include <pgq/trace/context.hpp>

#include <atomic>
#include <cstddef>
#include <optional>
#include <span>
#include <stop_token>
#include <utility>

namespace pgq {

/// What a batch handler can read about its jobs: `c[i]` is the context of the job at position `i` of the span.
///
/// It is valid until the handler returns (or its coroutine ends).
class batch_context {
public:
    /// `why`: the reason of `stop`, or null. `span`: of this call, or null.
    batch_context(std::span<const context> jobs, std::stop_token stop, const pgq::resources& shared,
                  const std::atomic<pgq::stop_reason>* why = nullptr,
                  const pgq::trace::context* span = nullptr) noexcept
        : jobs_{jobs}, stop_{std::move(stop)}, resources_{&shared}, why_{why}, span_{span} {}

    std::size_t size() const noexcept { return jobs_.size(); }
    const context& operator[](std::size_t i) const noexcept { return jobs_[i]; }
    auto begin() const noexcept { return jobs_.begin(); }
    auto end() const noexcept { return jobs_.end(); }

    /// Fires when the handler should end: the lease of the batch was lost, or the worker stops and the grace time is
    /// over. The work that a handler does after that may be done a second time by another worker.
    const std::stop_token& stop_token() const noexcept { return stop_; }
    /// Why the handler should end. A single job that is cancelled does not end the batch: ask its context.
    pgq::stop_reason stop_reason() const noexcept {
        if (!stop_.stop_requested()) return pgq::stop_reason::none;
        return why_ == nullptr ? pgq::stop_reason::other : why_->load(std::memory_order_acquire);
    }
    /// The span of this call, which all jobs of the batch share; nullopt if the queue has no tracer.
    std::optional<pgq::trace::context> trace() const noexcept {
        return span_ != nullptr ? std::optional{*span_} : std::nullopt;
    }
    /// As context::throw_if_stopping, for all jobs of the batch.
    void throw_if_stopping() const {
        if (const auto why = stop_reason(); why != pgq::stop_reason::none) throw stopping{why};
    }
    /// An object of the application; see `resources`. Throws std::out_of_range if none of this type was added.
    template <class T>
    T& resource() const {
        return resources_->get<T>();
    }

private:
    std::span<const context> jobs_;
    std::stop_token stop_;
    const pgq::resources* resources_;
    const std::atomic<pgq::stop_reason>* why_;
    const pgq::trace::context* span_;
};

}  // namespace pgq
