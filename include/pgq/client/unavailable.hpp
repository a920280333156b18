#pragma once

#include <pgq/context/taken.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>

#include <optional>

// What calls return that were refused by a compile-time message. Loops over it compile, so that the message stays the
// only one. Nothing here is ever called.
namespace pgq::detail {

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
