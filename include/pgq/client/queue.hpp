#pragma once

#include <pgq/diagnostic/calls.hpp>
#include <pgq/diagnostic/transactions.hpp>
// The messages come first, as in compose/checked.hpp.
#include <pgq/client/enqueue.hpp>
#include <pgq/client/flow.hpp>
#include <pgq/client/job_handle.hpp>
#include <pgq/client/queue_admin.hpp>
#include <pgq/client/queue_core.hpp>
#include <pgq/client/queue_statistics.hpp>
#include <pgq/client/refused_calls.hpp>
#include <pgq/client/unavailable.hpp>
#include <pgq/compose/canonical.hpp>
#include <pgq/compose/checked.hpp>
#include <pgq/compose/limiter_set.hpp>
#include <pgq/context/taken.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/options.hpp>
#include <pgq/protocol/enqueue.hpp>
#include <pgq/protocol/lane.hpp>
#include <pgq/protocol/revision.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgq {

struct queue_options {
    std::string name = "default";                  ///< queues of one type and different names share nothing
    duration keep_results = default_keep_results;  ///< how long the outcome of a job with a `result` is kept
};

namespace detail {

// Calls that take jobs, or use transactions. <pgq/queue.hpp> defines them; a program that only enqueues does not
// include it.
template <class Composition>
struct pull_calls;
template <class Composition>
struct transaction_calls;

}  // namespace detail

/// A list of job types with their policies; an object of it is one named queue in the database.
///
/// `Args` are, in any order, jobs (`pgq::job<T, policies of this entrypoint...>` or just `T`) and the policies of the
/// whole queue; a driver and a serializer must be among them. If two arguments do not fit together, the program does
/// not compile.
///
/// An object enqueues jobs, takes jobs without a worker, and finds, cancels and requeues jobs. The first call connects;
/// if the connection breaks, the next call connects again. Any thread may call the members. Calls share one connection,
/// one call at a time, unless the comment of a member says otherwise. Workers, pollers and flows share the parts of the
/// object and may outlive it. Handles return errc::closed when it is gone. Do not call an object that was moved from.
///
/// If a call returns errc::connection_lost, it is in doubt: the database may have done what the call asked for, or not.
template <class... Args>
class queue : public detail::queue_admin<queue<Args...>, typename checked<Args...>::composition_type>,
              public detail::queue_statistics<queue<Args...>, typename checked<Args...>::composition_type>,
              public detail::refused_calls<typename checked<Args...>::composition_type> {
    using check = checked<Args...>;

public:
    using composition_type = typename check::composition_type;
    static constexpr bool valid = check::valid;
    using driver_type = detail::driver_of<composition_type>;
    using core_type = detail::queue_core<composition_type>;
    using observer_type = typename composition_type::observer;
    using executor_type = typename composition_type::executor;

    explicit queue(driver_type driver = detail::default_driver<driver_type>(), queue_options options = {},
                   executor_type executor = detail::default_part<executor_type>(),
                   observer_type observer = detail::default_part<observer_type>())
        : core_{core_type::make(std::move(driver), std::move(options.name), options.keep_results, std::move(executor),
                                std::move(observer))} {}
    /// For the library: another object with the same connection, limiters, executor and observer.
    explicit queue(std::shared_ptr<core_type> core) noexcept : core_{std::move(core)} {}

    /// Does not compile: a text is no driver.
    template <class Text, class... Rest>
        requires(std::convertible_to<const Text&, std::string_view> && !std::convertible_to<Text, driver_type>)
    explicit queue(const Text&, const Rest&...) : queue{} {
        (void)sizeof(diagnostic::text_for_driver<driver_type, Text>);
    }

    /// Creates the tables, or migrates them to this version of the library. If they are up to date, it changes nothing.
    result<void> install() { return driver().install(); }

    /// The handle that an enqueue of one job, or of a range, returns. It has the ids, and waits for the jobs' ends.
    template <class Job>
    using handle_of = typename detail::handle_types<composition_type, Job>::one;
    template <class Job>
    using batch_handle_of = typename detail::handle_types<composition_type, Job>::many;

    // Enqueue

    using detail::refused_calls<composition_type>::enqueue;

    /// Enqueues one job. It is durable when this returns, and keeps its id until it ends. After an error nothing is
    /// enqueued (errc::connection_lost: in doubt). Jobs that several threads enqueue at the same time share one insert
    /// and one commit, if they have no option but a priority.
    template <class Job>
        requires(!detail::range_of_jobs<Job, composition_type> && !detail::borrowed_transaction<Job>)
    auto enqueue(const Job& job, const enqueue_options& options = {}) {
        if constexpr (diagnostic::require_known_job<composition_type, Job>()) {
            using answer = result<handle_of<Job>>;
            auto all = enqueue(std::span<const Job>{&job, 1}, options);
            return all ? answer{std::move(*all)(0)} : answer{std::move(all.error())};
        } else return result<job_id>{errc::invalid_option};
    }

    /// Enqueues all jobs of a range, or none, in one round trip. The ids are in the order of the range.
    template <detail::range_of_jobs<composition_type> Jobs>
    auto enqueue(Jobs&& jobs, const enqueue_options& options = {}) {
        return enqueue_range(jobs, detail::same_options{&options});
    }

    /// A list in braces: `jobs.enqueue({a, b, c})`.
    template <class Job>
    auto enqueue(std::initializer_list<Job> jobs, const enqueue_options& options = {}) {
        return enqueue_range(jobs, detail::same_options{&options});
    }

    /// The same with options for each job: `options_of(job)` returns them. The texts that the options refer to must
    /// live until this returns.
    template <detail::range_of_jobs<composition_type> Jobs, class OptionsOf>
        requires std::is_invocable_r_v<enqueue_options, OptionsOf&, std::ranges::range_reference_t<Jobs>>
    auto enqueue(Jobs&& jobs, OptionsOf options_of) { return enqueue_range(jobs, options_of); }

    /// Enqueues a job or a range in the caller's transaction, on the caller's connection:
    /// `jobs.enqueue(pgq::within(conn), job)`. The jobs exist, and workers wake, when that transaction commits.
    template <detail::borrowed_transaction Tx, class What>
    auto enqueue(Tx tx, What&& what, const enqueue_options& options = {}) {
        if constexpr (detail::range_of_jobs<What, composition_type>) {
            return detail::enqueue_within(core(), tx, what, options);
        } else return detail::only_one(detail::enqueue_within(core(), tx, std::span{&what, 1}, options));
    }

    /// Enqueues with Asio: `co_await jobs.async_enqueue(job, asio::use_awaitable)`, or with any other completion token
    /// for void(std::error_code, job_id). The driver must be one of <pgq/asio.hpp>.
    ///
    /// The job is copied before this returns. All async_enqueue calls of an object share a second connection; they are
    /// sent one after the other, in the order of the calls. As long as a call has not been sent, cancellation of any
    /// type ends it, and nothing is enqueued. Later only terminal cancellation ends it; this closes the connection, and
    /// the call is in doubt.
    template <class Job, class Token>
        requires(!detail::range_of_jobs<Job, composition_type>)
    auto async_enqueue(const Job& job, const enqueue_options& options, Token&& token) {
        return async_enqueue_range<job_id>(std::span<const Job>{&job, 1}, options, std::forward<Token>(token));
    }
    template <class Job, class Token>
        requires(!detail::range_of_jobs<Job, composition_type>)
    auto async_enqueue(const Job& job, Token&& token) {
        return async_enqueue(job, enqueue_options{}, std::forward<Token>(token));
    }

    /// The same with a range: void(std::error_code, std::vector<job_id>).
    template <detail::range_of_jobs<composition_type> Jobs, class Token>
    auto async_enqueue(Jobs&& jobs, const enqueue_options& options, Token&& token) {
        return async_enqueue_range<std::vector<job_id>>(jobs, options, std::forward<Token>(token));
    }
    template <detail::range_of_jobs<composition_type> Jobs, class Token>
    auto async_enqueue(Jobs&& jobs, Token&& token) {
        return async_enqueue(std::forward<Jobs>(jobs), enqueue_options{}, std::forward<Token>(token));
    }

    /// The whole error of the latest async_enqueue that failed; its completion handler receives only the code.
    error_info last_async_error() {
        if constexpr (!diagnostic::require_async<driver_type>()) return {};
        else return core().connection.async().last_error();
    }

    /// Enqueues the jobs of a very long range by COPY, all or none. Returns the number of jobs, not their ids. The jobs
    /// have no headers, no unique keys, and no settings but a priority. For fewer than about ten thousand jobs
    /// `enqueue` is as fast. Other calls of this object wait until it returns.
    template <detail::range_of_jobs<composition_type> Jobs>
    result<std::int64_t> enqueue_stream(Jobs&& jobs, job_priority priority = {}) {
        using job_type = detail::job_of_range<Jobs>;
        if constexpr (!diagnostic::require_known_job<composition_type, job_type>()) return errc::invalid_option;
        else if constexpr (!diagnostic::require_copyable<composition_type, job_type>()) return errc::invalid_option;
        else if constexpr (!diagnostic::require_copy<driver_type>()) return errc::invalid_option;
        else return detail::enqueue_stream(core(), jobs, priority);
    }

    /// Jobs of any types, some of which wait for others: see flow.
    auto flow() { return pgq::flow<queue>{*this}; }
    /// The first of several jobs that run one after the other: `jobs.chain(a).then(b).then(c).enqueue()`. See chain.
    template <class Job>
    auto chain(const Job& first, const enqueue_options& options = {}) {
        return pgq::chain<queue>{*this}.then(first, options);
    }

    // Wait

    /// Blocks until these jobs have ended; after `timeout` it returns errc::timeout. Any program may have enqueued
    /// them. The answer has one element for each of `ids`, in their order; a job that the database does not know has
    /// the kind `unknown`. All threads that wait share one connection.
    result<std::vector<ended_job>> wait_for(std::span<const job_id> ids, duration timeout) {
        return core().connection.watcher().wait(ids, detail::deadline_in(timeout), detail::default_outcome_retention);
    }
    result<ended_job> wait_for(job_id id, duration timeout) { return detail::only_one(wait_for({&id, 1}, timeout)); }
    /// A handle for a job of that type and id, which any program may have enqueued. It does not ask the database, and
    /// does not check that the job exists.
    template <class Job>
    auto find(job_id id) noexcept {
        return handle_of<Job>(id, true, core().link);
    }

    // Take jobs without a worker: with <pgq/queue.hpp>

    /// Takes the first job of a type in the queue's order, at most once: the job is deleted from the database when this
    /// returns, and does not run again if the process dies. Empty if no job comes within `timeout`.
    ///
    /// The call wakes when a job is enqueued and when a delayed one becomes due. A job that cannot be read is held with
    /// the reason, and the next one is taken. Limits do not apply here. After errc::connection_lost a job may have been
    /// taken and lost. Threads take jobs over the queue's connection, one thread at a time. A thread that waits for a
    /// job uses another connection.
    template <class Job>
    result<std::optional<taken<Job>>> get(const get_options& options = {}) {
        if constexpr (!can_pull<Job>()) return errc::invalid_option;
        else return detail::pull_calls<composition_type>::template get<Job>(core(), options);
    }

    /// Repeats `get` without end: `for (auto& job : jobs.items<mail>()) if (job) send(**job);`. An empty
    /// item means that no job came within the timeout. See get_range.
    template <class Job>
    auto items(get_options options = {}) {
        if constexpr (!can_pull<Job>()) return detail::unavailable_items<Job>{};
        else return detail::pull_calls<composition_type>::template items<Job>(*this, std::move(options));
    }

    /// Takes jobs of a type under a lease, at least once. The caller ends each job by `ack`, `retry`, `hold` ...; a job
    /// that it does not end becomes claimable again. The limits for all workers apply here, too. The poller connects
    /// when the caller asks for the first job. See poller and polled_job.
    template <class Job>
    auto poll(poll_options options = {}) {
        if constexpr (!can_pull<Job>() || !diagnostic::require_worker_session<driver_type>())
            return detail::unavailable_poller<Job>{};
        else return detail::pull_calls<composition_type>::template poll<Job>(*this, std::move(options));
    }

    /// As `get`, in the caller's transaction, on the caller's connection: `jobs.take<mail>(pgq::within(conn))`. The job
    /// is gone when that transaction commits, and claimable again when it rolls back.
    template <class Job, detail::borrowed_transaction Tx>
    result<std::optional<taken<Job>>> take(Tx tx, const take_options& options = {}) {
        if constexpr (!can_pull<Job>()) return errc::invalid_option;
        else return detail::pull_calls<composition_type>::template take<Job>(core(), tx, options);
    }

    /// Calls `f(tx)` in one transaction, on a separate connection. `tx` has `take`, `enqueue`, `exec`, `savepoint`; see
    /// basic_transaction. It commits when `f` returns. It rolls back when `f` throws or returns a result with an error;
    /// then jobs that were taken are claimable again at once.
    ///
    /// Returns a result with the value that `f` returned. An exception of `f` leaves this call. Further
    /// errors are those of connecting and of the commit. Several threads may have transactions at the same time.
    template <class F>
    auto transaction(F&& f) {
        if constexpr (!can_transact()) return result<void>{errc::invalid_option};
        else {
            using calls = detail::transaction_calls<composition_type>;
            using transaction_type = typename calls::transaction_type;
            // The type is computed here, so that the compiler's message for an error in `f` is short.
            if constexpr (requires(transaction_type & tx) { f(tx); }) {
                return calls::template run<decltype(f(std::declval<transaction_type&>()))>(core(), f);
            } else {
                (void)sizeof(diagnostic::unfit_for_transaction<F, transaction_type>);
                return result<void>{errc::invalid_option};
            }
        }
    }

    // Settings

    /// The ids of the queue's lanes. Call it to connect now instead of with the next call, so that errors show early.
    result<std::vector<lane_id>> lanes() { return core().connection.lanes(); }

    /// The limiter of one entrypoint, or of the queue. You may assign another value: workers that start later use it.
    template <class Job>
    auto& limiter() noexcept {
        if constexpr (!diagnostic::require_known_job<composition_type, Job>()) return detail::unavailable_limiter;
        else return std::get<composition_type::template index_of<Job>>(core().limiters);
    }
    auto& limiter() noexcept { return std::get<composition_type::jobs::size>(core().limiters); }

    const driver_type& driver() const noexcept { return core().connection.driver(); }
    const std::string& name() const noexcept { return core().connection.name(); }
    const executor_type& executor() const noexcept { return core().executor; }
    observer_type& observer() noexcept { return core().observer; }

    /// For workers: changes the stored payload or progress of a job that runs.
    result<void> revise(const revision& r) {
        return core().connection.with([&](auto& session, auto&) { return session.revise(r); });
    }
    /// For workers: the names of the lanes. Fails if the queue's name is not valid.
    result<std::span<const lane_name>> lane_names() const { return core().connection.lane_names(); }
    /// For workers: the limiters as they are now.
    detail::limiter_set limiters() const { return detail::limiters_of<composition_type>::as_set(core().limiters); }
    /// For the library: the members of the object. A move of the object does not change their address.
    core_type& core() const noexcept { return *shared_core(); }
    const std::shared_ptr<core_type>& shared_core() const noexcept { return detail::not_moved_from(core_); }

private:
    template <class Job>
    static constexpr bool can_pull() {
        if constexpr (!diagnostic::require_known_job<composition_type, Job>()) return false;
        else if constexpr (!diagnostic::require_taking<driver_type>()) return false;
        else return diagnostic::require_included<detail::pull_calls<composition_type>>();
    }
    static constexpr bool can_transact() {
        if constexpr (!valid) return false;
        else if constexpr (!diagnostic::require_transactions<driver_type>()) return false;
        else return diagnostic::require_included<detail::transaction_calls<composition_type>>();
    }

    template <class Jobs, class OptionsOf>
    auto enqueue_range(Jobs& jobs, OptionsOf options_of) {
        if constexpr (!diagnostic::require_known_job<composition_type, detail::job_of_range<Jobs&>>())
            return result<std::vector<job_id>>{errc::invalid_option};
        else return detail::enqueue_range(core(), jobs, options_of);
    }
    template <class Answer, class Jobs, class Token>
    auto async_enqueue_range(Jobs&& jobs, const enqueue_options& options, Token&& token) {
        if constexpr (!diagnostic::require_known_job<composition_type, detail::job_of_range<Jobs&>>()) return;
        else if constexpr (!diagnostic::require_async<driver_type>()) return;
        else return detail::async_enqueue_range<Answer>(core(), jobs, options, std::forward<Token>(token));
    }

    std::shared_ptr<core_type> core_;
};

/// The same queue with another policy of one category: `rebind<app_queue, driver::memory>`.
template <class Queue, class Policy>
using rebind = rebind_policy_t<Queue, Policy>;

}  // namespace pgq
