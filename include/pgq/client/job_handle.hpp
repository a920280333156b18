#pragma once

#include <pgq/client/client_connection.hpp>
#include <pgq/compose/handler_call.hpp>
#include <pgq/diagnostic/calls.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/revision.hpp>
#include <pgq/job/tracked.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
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

/// How long a wait goes on, from now. Saturates.
inline steady_time deadline_in(duration timeout) noexcept {
    const auto now = std::chrono::steady_clock::now();
    return timeout > steady_time::max() - now ? steady_time::max() : now + timeout;
}

/// How long an end is kept for who has asked for it.
inline constexpr duration kept_for_waiters = std::chrono::hours{1};

/// For pgq::async_wait: where the jobs of a handle are waited for.
struct handle_access {
    template <class Handle>
    static auto& room(const Handle& h) noexcept {
        return h.client_->room();
    }
};

template <class Client>
result<std::optional<job_progress>> progress_through(Client& client, job_id id) {
    auto stored = client.with([&](auto& session, auto&) { return session.progress_of(id); });
    if (!stored) return std::move(stored.error());
    return *stored ? unpacked(**stored) : std::nullopt;
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

/// A job that was enqueued: its id, and ways to ask for more. It refers to the queue object, which must live.
///
/// Several threads may wait, for one job or for many; they share a connection that is made for it.
template <class Driver, class Job, class Serializer>
class job_handle : public job_id {
public:
    using job_type = Job;
    using serializer_type = Serializer;

    job_handle(job_id id, bool fresh, detail::client_connection<Driver>& client) noexcept
        : job_id{id}, fresh_{fresh}, client_{&client} {}

    job_id id() const noexcept { return *this; }
    /// False when another job has its unique key: the handle is that one's.
    bool is_new() const noexcept { return fresh_; }

    /// Until the job has ended in any way, at most `timeout`: errc::timeout then. A job that failed and will be retried has not ended;
    /// one that is held has. When nothing is known of it any more the end is `unknown`.
    result<ended_job> wait(duration timeout) const {
        const job_id mine = *this;
        auto ended = client_->room().wait({&mine, 1}, detail::deadline_in(timeout), detail::kept_for_waiters);
        if (!ended) return std::move(ended.error());
        return std::move(ended->front());
    }

    /// What its handler returned. errc::job_not_done with the reason when it ended in another way.
    auto get(duration timeout) const {
        if constexpr (!diagnostic::require_result<Job, Serializer>()) return result<void>{errc::invalid_option};
        else {
            using answer = result<typename Job::result>;
            auto ended = wait(timeout);
            if (!ended) return answer{std::move(ended.error())};
            return detail::result_of_end<Job, Serializer>(*ended);
        }
    }

    /// How far it is. See queue::progress.
    result<std::optional<job_progress>> progress() const { return detail::progress_through(*client_, *this); }

    /// Removes it when it waits, and asks it to stop when it runs. See queue::cancel.
    result<cancel_reply> cancel() const {
        const job_id mine = *this;
        return client_->with([&](auto& session, auto&) { return session.cancel({&mine, 1}); });
    }

private:
    friend detail::handle_access;
    bool fresh_;
    detail::client_connection<Driver>* client_;
};

/// The jobs of one call, in its order.
template <class Driver, class Job, class Serializer>
class batch_handle : public std::vector<job_id> {
public:
    batch_handle(std::vector<job_id> ids, std::vector<bool> others, detail::client_connection<Driver>& client)
        : std::vector<job_id>{std::move(ids)}, others_{std::move(others)}, client_{&client} {}

    job_handle<Driver, Job, Serializer> operator()(std::size_t i) const { return {(*this)[i], is_new(i), *client_}; }
    /// See job_handle::is_new.
    bool is_new(std::size_t i) const noexcept { return others_.empty() || !others_[i]; }

    /// Until all have ended, at most `timeout`. In the order of the jobs.
    result<std::vector<ended_job>> wait_all(duration timeout) const {
        return client_->room().wait(*this, detail::deadline_in(timeout), detail::kept_for_waiters);
    }
    result<cancel_reply> cancel() const {
        return client_->with([&](auto& session, auto&) { return session.cancel(std::span<const job_id>{*this}); });
    }

private:
    friend detail::handle_access;
    std::vector<bool> others_;  // empty when all are new
    detail::client_connection<Driver>* client_;
};

}  // namespace pgq
