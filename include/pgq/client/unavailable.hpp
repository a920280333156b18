#pragma once

#include <pgq/context/taken.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/revision.hpp>
#include <pgq/protocol/tracked.hpp>

#include <optional>
#include <vector>

// What calls return that were refused by a compile-time message. Loops over it compile, so that the message stays the
// only one. Nothing here is ever called.
namespace pgq::detail {

struct unavailable_handle : job_id {
    using job_type = void;
    template <class... Args>
    explicit unavailable_handle(Args&&...);
    job_id id() const;
    bool is_new() const;
    template <class... Args>
    result<ended_job> wait(const Args&...) const;
    template <class... Args>
    result<ended_job> get(const Args&...) const;
    template <class... Args>
    result<std::vector<ended_job>> wait_all(const Args&...) const;
    result<cancel_reply> cancel() const;
    result<std::optional<job_progress>> progress() const;
};

/// Takes whatever a program assigns to the limiter of a job.
struct unavailable_limiter_type {
    template <class T>
    const unavailable_limiter_type& operator=(const T&) const;
};
inline constexpr unavailable_limiter_type unavailable_limiter{};

template <class Job>
struct unavailable_job {
    Job& operator*() const;
    Job* operator->() const;
    Job& value() const;
    job_id id() const;
    template <class... Args>
    result<void> update(const Args&...);
    template <class... Args>
    result<void> ack(const Args&...);
    template <class... Args>
    result<void> retry(const Args&...);
    template <class... Args>
    result<void> snooze(const Args&...);
    template <class... Args>
    result<void> hold(const Args&...);
    template <class... Args>
    result<void> discard(const Args&...);
    result<void> release();
};

template <class Job>
struct unavailable_poller {
    unavailable_job<Job>* begin() const;
    unavailable_job<Job>* end() const;
    result<std::optional<unavailable_job<Job>>> next();
};

template <class Job>
struct unavailable_items {
    std::optional<taken<Job>>* begin() const;
    std::optional<taken<Job>>* end() const;
};

}  // namespace pgq::detail
