#pragma once

#include <pgq/diagnostic/calls.hpp>
#include <pgq/diagnostic/transactions.hpp>
// The messages come first, as in compose/checked.hpp.
#include <pgq/client/enqueue.hpp>
#include <pgq/client/queue_core.hpp>
#include <pgq/client/refused_calls.hpp>
#include <pgq/client/report_enqueued.hpp>
#include <pgq/context/taken.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/sql_rows.hpp>
#include <pgq/pull/get_job.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/transaction/as_result.hpp>
#include <pgq/transaction/sql_parameter.hpp>

#include <array>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgq {
namespace detail {

/// The first of these types that is no argument of `exec`, or void.
template <class... Args>
struct first_bad_parameter : std::type_identity<void> {};
template <class First, class... Rest>
struct first_bad_parameter<First, Rest...>
    : std::conditional_t<is_sql_parameter<First>, first_bad_parameter<Rest...>, std::type_identity<First>> {};

}  // namespace detail

/// An open transaction of a queue: see `transaction`, which is how it is named.
template <class Composition>
class basic_transaction : public detail::refused_calls<Composition> {
    using driver_type = typename Composition::driver;
    using session_type = typename driver_type::session;
    using core_type = detail::queue_core<Composition>;

public:
    /// `lanes` are those of the composition. The session's transaction is open, and stays open longer than this lives.
    /// `limit` is that of the session.
    basic_transaction(core_type& core, session_type& session, std::span<const lane_id> lanes,
                      call_limit& limit) noexcept
        : core_{&core}, session_{&session}, lanes_{lanes}, limit_{&limit} {}
    basic_transaction(const basic_transaction&) = delete;
    basic_transaction& operator=(const basic_transaction&) = delete;

    /// Runs one statement: `tx.exec("INSERT INTO result VALUES ($1, $2)", 7, "done")`. Arguments are text, numbers,
    /// bools, ids of jobs, std::nullopt, and std::optional of these. They are bound as text, and the server converts
    /// them to the types it needs; where it cannot tell, write `$1::int`.
    ///
    /// COMMIT, ROLLBACK and COPY are errors. After connection_options::exec_timeout the statement is cancelled: that is
    /// SQLSTATE 57014.
    /// If the server does not answer that, the connection is closed: errc::connection_lost. On a borrowed connection it
    /// blocks for as long as libpq does.
    template <class... Args>
    result<sql_rows> exec(const std::string& sql, const Args&... arguments) {
        if constexpr (!diagnostic::require_statements<driver_type>()) return errc::invalid_option;
        else if constexpr (!(detail::is_sql_parameter<Args> && ...)) {
            (void)sizeof(diagnostic::no_sql_parameter<typename detail::first_bad_parameter<Args...>::type>);
            return errc::invalid_option;
        } else {
            const std::array<std::optional<std::string>, sizeof...(Args)> parameters{
                detail::to_sql_parameter(arguments)...};
            return noted(session_->exec(sql, parameters));
        }
    }

    using detail::refused_calls<Composition>::enqueue;

    /// As queue::enqueue; other sessions see the jobs, and workers wake, when the transaction commits.
    template <class Job>
        requires(!detail::range_of_jobs<Job, Composition>)
    result<job_id> enqueue(const Job& job, const enqueue_options& options = {}) {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else return detail::only_one(enqueue(std::span<const Job>{&job, 1}, options));
    }
    template <class Job>
    result<std::vector<job_id>> enqueue(std::initializer_list<Job> jobs, const enqueue_options& options = {}) {
        return enqueue(std::span<const Job>{jobs.begin(), jobs.size()}, options);
    }
    template <detail::range_of_jobs<Composition> Jobs>
    result<std::vector<job_id>> enqueue(Jobs&& jobs, const enqueue_options& options = {}) {
        if constexpr (!diagnostic::require_known_job<Composition, detail::job_of_range<Jobs>>())
            return errc::invalid_option;
        else
            return detail::enqueue_inside<Composition>(
                *core_, jobs, options, [&](std::size_t lane, const auto& written, auto& ids) {
                    auto put = noted(session_->enqueue(written.request(lanes_[lane]), ids));
                    if (put) enqueued_.add(Composition::lane_names[lane].entrypoint, ids.size());
                    return put;
                });
    }

    /// Takes the best job of a type, or none. It is gone when the transaction commits, and claimable again at once, as
    /// if it had not been taken, when it rolls back. No other session gets the job meanwhile, and none waits for it.
    ///
    /// With a timeout it waits for a job; it locks nothing while it waits. The timeout is a deadline even if the server
    /// is silent; the transaction can only be rolled back then. A job that cannot be read is held, and the
    /// next one is taken.
    template <class Job>
    result<std::optional<taken<Job>>> take(const take_options& options = {}) {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else if constexpr (!diagnostic::require_taking<driver_type>()) return errc::invalid_option;
        else return detail::take_inside<Composition, Job>(*session_, *core_, options, *limit_);
    }

    /// Calls `f()` or `f(tx)`. If that throws or returns an error, what it did is undone and the transaction goes on.
    /// Savepoints may be nested. The answer is a result with what `f` returned; what `f` threw is thrown on.
    template <class F>
    auto savepoint(F&& f) {
        if constexpr (std::is_invocable_v<F&, basic_transaction&>) return inside([&] { return std::invoke(f, *this); });
        else return inside([&] { return std::invoke(f); });
    }

    /// The latest error of `exec`, `enqueue` or `savepoint` that no savepoint has undone. If there is one, a handler's
    /// transaction does not commit, and the server refuses to commit a program's.
    const std::optional<error_info>& failed() const noexcept { return failed_; }

    /// For the library: it has committed.
    void report_committed() const noexcept { enqueued_.report(*core_); }

private:
    template <class T>
    result<T> noted(result<T> answer) {
        if (!answer) failed_ = answer.error();
        return answer;
    }
    template <class F>
    auto inside(F f) -> detail::as_result<std::invoke_result_t<F&>> {
        if (auto set = noted(session_->savepoint()); !set) return std::move(set.error());
        const auto before = enqueued_.size();
        return detail::all_or_nothing(
            f, [&] { return noted(session_->release_savepoint()); },
            [&] {
                failed_.reset();
                enqueued_.shrink(before);
                return noted(session_->rollback_to_savepoint());
            });
    }

    core_type* core_;
    session_type* session_;
    std::span<const lane_id> lanes_;
    call_limit* limit_;
    std::optional<error_info> failed_{};
    [[no_unique_address]] detail::uncommitted_jobs<detail::reports_enqueues<Composition>> enqueued_{};
};

/// The transaction that a handler runs in, and that queue::transaction opens for a program:
/// `[](const app::pay& p, pgq::transaction<app_queue>& tx) { ... }`, `jobs.transaction([](auto& tx) { ... })`.
///
/// A handler's transaction commits together with the acknowledgement of the job when the handler returns "done": its
/// effects happen exactly once. If the handler throws, or returns another outcome, it rolls back. A program's
/// transaction commits when the function returns.
///
/// After an error of the server the transaction can only be rolled back: return the error, or put what may fail into a
/// savepoint. One thread at a time uses it, and none after the handler or the function has returned.
template <class Queue>
using transaction = basic_transaction<typename Queue::composition_type>;

}  // namespace pgq
