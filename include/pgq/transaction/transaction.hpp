#pragma once

#include <pgq/diagnostic/calls.hpp>
#include <pgq/diagnostic/transactions.hpp>
// The messages come first, as in checked.hpp.
#include <pgq/client/written_jobs.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/sql_rows.hpp>
#include <pgq/transaction/sql_parameter.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgq {

/// See `transaction`, which is how it is named.
template <class Composition>
class basic_transaction {
    using driver_type = typename Composition::driver;
    using session_type = typename driver_type::session;

    template <class Range>
    static constexpr bool is_range =
        std::ranges::input_range<Range> && !Composition::template contains<std::remove_cvref_t<Range>>;

public:
    /// `lanes` are those of the composition. A transaction is open on the session, and stays so.
    basic_transaction(session_type& session, std::span<const lane_id> lanes) noexcept
        : session_{&session}, lanes_{lanes} {}
    basic_transaction(const basic_transaction&) = delete;
    basic_transaction& operator=(const basic_transaction&) = delete;

    /// Runs one statement, with `$1`, `$2` ... for the arguments: text, numbers, bools, std::optional of these. They are bound as
    /// text, and the server reads them as the type that it needs there; where it cannot tell, say so: `$1::int`.
    ///
    /// After an error the transaction cannot be committed any more, unless a savepoint was around. COMMIT, ROLLBACK and COPY are
    /// errors. It blocks for as long as the statement takes.
    template <class... Args>
    result<sql_rows> exec(const std::string& sql, const Args&... arguments) {
        if constexpr (diagnostic::require_statements<driver_type>()) {
            const std::array<std::optional<std::string>, sizeof...(Args)> parameters{
                detail::sql_parameter(arguments)...};
            return noted(session_->exec(sql, parameters));
        } else return errc::invalid_option;
    }

    /// As queue::enqueue, but the job exists when the transaction is committed.
    template <class Job>
        requires(!is_range<Job>)
    result<job_id> enqueue(const Job& job, const enqueue_options& options = {}) {
        auto ids = enqueue(std::span<const Job>{&job, 1}, options);
        if (!ids) return std::move(ids.error());
        return ids->front();
    }
    template <class Jobs>
        requires(is_range<Jobs>)
    result<std::vector<job_id>> enqueue(Jobs&& jobs, const enqueue_options& options = {}) {
        using job_type = std::remove_cvref_t<std::ranges::range_reference_t<Jobs>>;
        if constexpr (!diagnostic::require_known_job<Composition, job_type>()) return errc::invalid_option;
        else {
            detail::written_jobs<Composition, job_type> written{options};
            for (auto&& job : jobs)
                if (auto added = written.add(job); !added) return std::move(added.error());
            std::vector<job_id> ids;
            if (written.empty()) return ids;
            auto put = noted(session_->enqueue(written.request(lanes_[Composition::template lane_of<job_type>]), ids));
            if (!put) return std::move(put.error());
            return ids;
        }
    }

    /// `f()` or `f(tx)`, and when it throws or returns an error nothing of what it did remains; the transaction goes on. Savepoints may be
    /// nested. What `f` returned, a `result` or nothing, comes back as a result, what it threw goes on.
    template <class F>
    auto savepoint(F f) {
        if constexpr (std::is_invocable_v<F&, basic_transaction&>) return inside([&] { return std::invoke(f, *this); });
        else return inside(f);
    }

    /// The latest error of the members above that no savepoint has undone; while there is one it will not be committed.
    const std::optional<error_info>& failed() const noexcept { return failed_; }

private:
    template <class T>
    result<T> noted(result<T> answer) {
        if (!answer) failed_ = answer.error();
        return answer;
    }
    template <class F>
    auto inside(F f)
        -> std::conditional_t<std::is_void_v<std::invoke_result_t<F&>>, result<void>, std::invoke_result_t<F&>> {
        if (auto set = noted(session_->savepoint()); !set) return std::move(set.error());
        try {
            if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
                std::invoke(f);
                return noted(session_->release_savepoint());
            } else {
                auto answer = std::invoke(f);
                auto ended = answer ? noted(session_->release_savepoint()) : undo();
                if (!ended) return std::move(ended.error());
                return answer;
            }
        } catch (...) {
            (void)undo();
            throw;
        }
    }
    result<void> undo() {
        failed_.reset();
        return noted(session_->rollback_to_savepoint());
    }

    session_type* session_;
    std::span<const lane_id> lanes_;
    std::optional<error_info> failed_{};
};

/// What a handler can do in the transaction that it runs in: `[](const app::pay& p, pgq::transaction<app_queue>& tx) { ... }`.
///
/// The transaction is committed together with the acknowledgement of the job when the handler returns "done": its effects happen
/// exactly once. When the handler throws, or returns another outcome, they do not happen at all.
///
/// One thread at a time uses it, and none after the handler has returned.
template <class Queue>
using transaction = basic_transaction<typename Queue::composition_type>;

}  // namespace pgq
