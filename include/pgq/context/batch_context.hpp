#pragma once

#include <pgq/context/context.hpp>
#include <pgq/context/resources.hpp>

#include <cstddef>
#include <span>
#include <stop_token>
#include <utility>

namespace pgq {

/// What a batch handler can read about its jobs: `c[i]` is the context of the job at position `i` of the span.
///
/// It is valid until the handler returns (or its coroutine ends).
class batch_context {
public:
    batch_context(std::span<const context> jobs, std::stop_token stop, const pgq::resources& shared) noexcept
        : jobs_{jobs}, stop_{std::move(stop)}, resources_{&shared} {}

    std::size_t size() const noexcept { return jobs_.size(); }
    const context& operator[](std::size_t i) const noexcept { return jobs_[i]; }
    auto begin() const noexcept { return jobs_.begin(); }
    auto end() const noexcept { return jobs_.end(); }

    /// Fires when the handler should end: the lease of the batch was lost, or the worker stops and the grace time is
    /// over. The work that a handler does after that may be done a second time by another worker.
    const std::stop_token& stop_token() const noexcept { return stop_; }
    /// An object of the application; see `resources`. Throws std::out_of_range if none of this type was added.
    template <class T>
    T& resource() const {
        return resources_->get<T>();
    }

private:
    std::span<const context> jobs_;
    std::stop_token stop_;
    const pgq::resources* resources_;
};

}  // namespace pgq
