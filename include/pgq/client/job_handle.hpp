#pragma once

#include <pgq/client/client_connection.hpp>
#include <pgq/client/retry_while_full.hpp>
#include <pgq/concept/serializer.hpp>
#include <pgq/diagnostic/calls.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/protocol/revision.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq {

/// For people; stable.
constexpr std::string_view name_of(end_kind k) noexcept {
    switch (k) {
    case end_kind::done: return "done";
    case end_kind::discarded: return "discarded";
    case end_kind::cancelled: return "cancelled";
    case end_kind::held: return "held";
    case end_kind::expired: return "expired";
    case end_kind::unknown: break;
    }
    return "unknown";
}

namespace detail {

/// For pgq::async_wait: the connection that waits for the jobs of a handle.
struct handle_access {
    template <class Handle>
    static const auto& link(const Handle& h) noexcept {
        return h.link_;
    }
};

template <class Driver>
result<std::optional<job_progress>> progress_through(client_connection<Driver>& connection, job_id id) {
    auto stored = connection.with([&](auto& session, auto&) { return session.progress_of(id); });
    if (!stored) return std::move(stored.error());
    return *stored ? unpacked(**stored) : std::nullopt;
}

template <class Driver>
result<cancel_reply> cancel_through(const weak_connection<Driver>& link, std::span<const job_id> ids) {
    return with_connection(link, [&](auto& connection) { return connection.cancel(ids); });
}

template <class Job, class Serializer>
result<typename Job::result> result_of_end(const ended_job& e) {
    const auto which = [&] { return "job " + std::to_string(e.id.value); };
    if (e.kind != end_kind::done) {
        const std::string how = e.kind == end_kind::unknown ? "is gone, and how it ended was not kept"
                                                            : "was " + std::string{name_of(e.kind)};
        return error_info{errc::job_not_done, which() + " " + how + (e.reason.empty() ? "" : ": " + e.reason)};
    }
    if (!e.has_result)
        return error_info{errc::invalid_payload, which() + " is done but has left no result",
                          "its handler returns an outcome; let it return the result"};
    typename Job::result value{};
    if (auto read = Serializer{}.read(e.result, value); !read) return std::move(read.error());
    return value;
}

}  // namespace detail

/// A job that was enqueued: its id, and calls about it. If its queue object is gone, the calls return errc::closed.
///
/// Called from any thread. Threads that wait share one connection, whatever the number of jobs.
template <class Driver, class Job, class Serializer>
class job_handle : public job_id {
public:
    using job_type = Job;
    using serializer_type = Serializer;

    job_handle(job_id id, bool fresh, detail::weak_connection<Driver> link) noexcept
        : job_id{id}, fresh_{fresh}, link_{std::move(link)} {}

    job_id id() const noexcept { return *this; }
    /// False if another job has the unique key of this call: then the handle is that job's.
    bool is_new() const noexcept { return fresh_; }

    /// Blocks until the job has ended, at most `timeout`: then errc::timeout. A job that has failed and will be retried
    /// has not ended; a held job has. The end of a job that the database no longer knows is `unknown`.
    result<ended_job> wait(duration timeout) const {
        const job_id mine = *this;
        auto ended = detail::with_connection(link_, [&](auto& connection) {
            return connection.watcher().wait({&mine, 1}, detail::deadline_in(timeout),
                                             detail::default_outcome_retention);
        });
        if (!ended) return std::move(ended.error());
        return std::move(ended->front());
    }

    /// As `wait`, and gives what the job's handler returned. errc::job_not_done with the reason if the job ended in
    /// another way.
    auto get(duration timeout) const {
        if constexpr (!diagnostic::require_result<Job, Serializer>()) return result<void>{errc::invalid_option};
        else {
            using answer = result<typename Job::result>;
            auto ended = wait(timeout);
            if (!ended) return answer{std::move(ended.error())};
            return detail::result_of_end<Job, Serializer>(*ended);
        }
    }

    /// See queue::progress.
    result<std::optional<job_progress>> progress() const {
        return detail::with_connection(link_, [&](auto& c) { return detail::progress_through(c, *this); });
    }

    /// See queue::cancel.
    result<cancel_reply> cancel() const {
        const job_id mine = *this;
        return detail::cancel_through(link_, {&mine, 1});
    }

private:
    friend detail::handle_access;
    bool fresh_;
    detail::weak_connection<Driver> link_;
};

/// The jobs of one call, in its order.
template <class Driver, class Job, class Serializer>
class batch_handle : public std::vector<job_id> {
public:
    batch_handle(std::vector<job_id> ids, std::vector<bool> others, const detail::weak_connection<Driver>& link)
        : std::vector<job_id>{std::move(ids)}, others_{std::move(others)}, link_{link} {}

    job_handle<Driver, Job, Serializer> operator()(std::size_t i) const& { return {(*this)[i], is_new(i), link_}; }
    job_handle<Driver, Job, Serializer> operator()(std::size_t i) && {
        return {(*this)[i], is_new(i), std::move(link_)};
    }
    /// See job_handle::is_new.
    bool is_new(std::size_t i) const noexcept { return others_.empty() || !others_[i]; }
    /// How many of the jobs are new.
    std::size_t count_new() const noexcept {
        return this->size() - static_cast<std::size_t>(std::count(others_.begin(), others_.end(), true));
    }

    /// Blocks until all have ended, at most `timeout`: then errc::timeout. The ends are in the order of the jobs.
    result<std::vector<ended_job>> wait_all(duration timeout) const {
        return detail::with_connection(link_, [&](auto& connection) {
            return connection.watcher().wait(*this, detail::deadline_in(timeout), detail::default_outcome_retention);
        });
    }
    /// See queue::cancel.
    result<cancel_reply> cancel() const { return detail::cancel_through(link_, *this); }

private:
    friend detail::handle_access;
    std::vector<bool> others_;  // empty when all are new
    detail::weak_connection<Driver> link_;
};

}  // namespace pgq
