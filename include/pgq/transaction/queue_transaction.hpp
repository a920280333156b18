#pragma once

#include <pgq/diagnostic/calls.hpp>
// The messages come first, as in compose/checked.hpp.
#include <pgq/concept/driver.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/sql_rows.hpp>
#include <pgq/job/taken.hpp>
#include <pgq/pull/get_job.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgq {
namespace detail {

/// A session whose transaction a queue enqueues into.
template <class Session>
struct open_session {
    using is_borrowed_transaction = void;

    Session* session;

    template <class Other>
    void meet(Other&) const noexcept {}
    result<void> enqueue(const enqueue_request& r, std::vector<job_id>& ids) const { return session->enqueue(r, ids); }
    template <class Other>
    result<void> take(Other&, const take_request& r, take_reply& reply) const {
        return session->take(r, reply);
    }
    template <class Other>
    result<void> keep(Other&, const taken_record& job, std::string_view reason) const {
        return session->keep(job, reason);
    }
};

template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<result<T>> = true;

template <class T>
using as_result = std::conditional_t<is_result<T>, T, result<T>>;

/// Calls `f(tx)`, between `begin` and `commit` or, when it returns an error or throws, `rollback`; what these answer comes
/// before what `f` has said.
template <class F, class Tx, class Commit, class Rollback>
auto all_or_nothing(F& f, Tx& tx, Commit commit, Rollback rollback) -> as_result<std::invoke_result_t<F&, Tx&>> {
    using returned = std::invoke_result_t<F&, Tx&>;
    std::optional<as_result<returned>> answer;
    try {
        if constexpr (std::is_void_v<returned>) f(tx), answer.emplace();
        else answer.emplace(f(tx));
    } catch (...) {
        rollback();
        throw;
    }
    if (!*answer) rollback();
    else if (auto done = commit(); !done) return std::move(done.error());
    return std::move(*answer);
}

inline std::optional<std::string> sql_text(std::nullopt_t) { return std::nullopt; }
inline std::optional<std::string> sql_text(std::nullptr_t) { return std::nullopt; }
inline std::optional<std::string> sql_text(job_id id) { return std::to_string(id.value); }
template <filter_comparable T>
std::optional<std::string> sql_text(const T& v) {
    return filter_value_of(v).text;
}
template <filter_comparable T>
std::optional<std::string> sql_text(const std::optional<T>& v) {
    return v ? sql_text(*v) : std::nullopt;
}

}  // namespace detail

/// What happens in one transaction of queue::transaction: all of it or nothing. It is the function's, on one thread, until that returns.
///
/// After an error of the server the transaction can only be rolled back, so return the error; or put what may fail into a
/// `savepoint`.
template <class Queue>
class queue_transaction {
    using driver_type = typename Queue::driver_type;
    using session_type = typename driver_type::session;

public:
    queue_transaction(Queue& queue, session_type& session) : queue_{&queue}, session_{&session} {}
    queue_transaction(const queue_transaction&) = delete;
    queue_transaction& operator=(const queue_transaction&) = delete;

    /// The best job of this type, or none: gone when the transaction commits, and back at once, as if it had not been taken, when it
    /// does not. Nobody else gets it meanwhile, and nobody waits for it.
    ///
    /// With a timeout it waits for one, and keeps nobody from anything while it does. A job that cannot be read is held, and the next
    /// one comes.
    template <class Job>
    result<std::optional<taken<Job>>> take(const take_options& options = {}) {
        return queue_->template take<Job>(detail::open_session<session_type>{session_}, options);
    }

    /// As queue::enqueue; the jobs are there for others when the transaction commits.
    template <class What>
    auto enqueue(What&& what, const enqueue_options& options = {}) {
        return queue_->enqueue(detail::open_session<session_type>{session_}, std::forward<What>(what), options);
    }

    /// One statement of your own: `tx.exec("INSERT INTO result VALUES ($1, $2)", 7, "done")`. Parameters are bound as texts, whatever
    /// the server takes them for: texts, numbers, bool, std::nullopt, or an optional of these. There is no time limit on it but the server's. It must not
    /// end the transaction.
    template <class... Parameters>
    result<sql_rows> exec(const std::string& sql, const Parameters&... parameters) {
        if constexpr (!diagnostic::require_sql<driver_type>()) return errc::invalid_option;
        else {
            const std::vector<std::optional<std::string>> texts{detail::sql_text(parameters)...};
            return session_->exec(sql, texts);
        }
    }

    /// `f(tx)`, and when it throws or returns an error nothing of what it did remains; the transaction goes on. Savepoints may be nested.
    /// What `f` returned comes back as a result, what it threw goes on.
    template <class F>
    auto savepoint(F&& f) -> detail::as_result<std::invoke_result_t<F&, queue_transaction&>> {
        if (auto set = session_->savepoint(); !set) return std::move(set.error());
        return detail::all_or_nothing(
            f, *this, [&] { return session_->release_savepoint(); },
            [&]() noexcept { (void)session_->rollback_to_savepoint(); });
    }

private:
    Queue* queue_;
    session_type* session_;
};

namespace detail {

/// What queue::transaction does.
template <class Queue, class Driver, class F>
auto run_transaction(Queue& queue, session_cache<Driver>& h, F& f)
    -> as_result<std::invoke_result_t<F&, queue_transaction<Queue>&>> {
    auto session = h.take_session(queue.driver());
    if (!session) return std::move(session.error());
    if (auto begun = session->begin(); !begun) return std::move(begun.error());
    queue_transaction<Queue> tx{queue, *session};
    const auto end = [&](result<void> ended) {
        if (ended) h.give_back(std::move(*session));
        return ended;
    };
    return all_or_nothing(
        f, tx, [&] { return end(session->commit()); }, [&] { (void)end(session->rollback()); });
}

}  // namespace detail
}  // namespace pgq
