#pragma once

#include <pgq/compose/execution_plan.hpp>
#include <pgq/compose/read_job.hpp>
#include <pgq/compose/settings.hpp>
#include <pgq/concept/decorator.hpp>
#include <pgq/concept/executor.hpp>
#include <pgq/context/resources.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/executor/fork_server.hpp>
#include <pgq/executor/watchdog.hpp>
#include <pgq/handler/attempt.hpp>
#include <pgq/handler/batch_attempt.hpp>
#include <pgq/handler/child_runner.hpp>
#include <pgq/handler/table_members.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/transaction/handler_scope.hpp>
#include <pgq/transaction/session_pool.hpp>
#include <pgq/worker/block_until.hpp>
#include <pgq/worker/held_lease.hpp>
#include <pgq/worker/job_batch.hpp>
#include <pgq/worker/job_runner.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace pgq::detail {

/// The functions that run jobs, for each job type of a composition one: it reads the payload, calls the handler in its
/// decorators, and turns the result into an outcome. There is none for a type that the worker does not serve. A worker
/// makes one table for each of its runs; the table stays where it is until that ends.
template <class Composition, class Handlers>
class handler_table {
    using queue_executor = typename Composition::executor;

public:
    using runner_type = job_runner<queue_executor, typename Composition::observer>;

    /// Throws std::system_error if a thread or process that it needs cannot be started. It forks before it starts a
    /// thread.
    template <class Queue>
    handler_table(Handlers& handlers, const Queue& queue, [[maybe_unused]] const resources* shared)
        : handlers_{&handlers}, queue_wide_{&queue.executor()} {
        if constexpr (any_ends_lease(typename Handlers::jobs{})) sessions_.emplace(queue.core());
        if constexpr (plans::in_process) {
            in_child_.emplace(handlers, shared);
            server_.emplace(&in_child_type::answer, &*in_child_);
        }
        if constexpr (plans::needs_watchdog) (void)time_limits_.get();
    }
    handler_table(const handler_table&) = delete;
    handler_table& operator=(const handler_table&) = delete;

    /// The calls in transactions of handlers end at this limit, too, which outlives the last handler.
    void obey([[maybe_unused]] const call_limit& limit) noexcept {
        if constexpr (any_ends_lease(typename Handlers::jobs{})) sessions_->obey(limit);
    }

private:
    template <class Job>
    using plan = execution_plan<Composition, Job>;
    template <class Job>
    static constexpr bool is_coroutine = Handlers::template call_of<Job>::is_coroutine;
    template <class Job>
    static constexpr bool in_transaction = Handlers::template call_of<Job>::in_transaction;
    template <class Job>
    static constexpr bool at_most_once = Composition::template delivery_of<Job>::acknowledges_first;
    /// Whether a handler's thread ends the lease of its job itself: then each job has a lease of its own.
    template <class Job>
    static constexpr bool ends_lease = in_transaction<Job> || at_most_once<Job>;
    template <class Job>
    static constexpr bool in_batches = Handlers::template call_of<Job>::in_batches;

    struct nothing {};

    // What an attempt needs of this table.
    template <class Job>
    struct access {
        using runner = runner_type;
        using composition = Composition;

        handler_table* table;

        auto decorators() const { return plan<Job>::decorators(table->own<Job>(), *table->queue_wide_); }
        watchdog& time_limits() const { return table->time_limits_.get(); }
        const fork_server& server() const noexcept { return *table->server_; }
        duration process_grace() const noexcept {
            return plan<Job>::process_grace(table->own<Job>(), *table->queue_wide_);
        }
        static constexpr bool in_transaction = handler_table::in_transaction<Job>;
        static constexpr bool at_most_once = handler_table::at_most_once<Job>;
        using transaction = member_if_t<in_transaction, handler_scope, Composition>;
        steady_time now() const noexcept { return now_of(*table->queue_wide_); }
        auto& sessions() const noexcept { return *table->sessions_; }
        auto& handler() const noexcept { return table->handlers_->template handler_for<Job>(); }
        // The line of a coroutine that is the first of its strand: only the end of the coroutine can start the next
        // one.
        auto* line_of(held_lease& slot, std::uint32_t position) const {
            if constexpr (plan<Job>::in_strands && is_coroutine<Job>) {
                return table->strands_of<Job>().take_line(slot, position);
            } else return static_cast<nothing*>(nullptr);
        }
        template <class Line>
        void start_next(Line* line) const noexcept {
            if constexpr (plan<Job>::in_strands && is_coroutine<Job>) {
                if (line != nullptr) table->start_next<Job>(*line);
            }
        }
    };

    template <class Job>
    static void run(runner_type& runner, held_lease& slot, std::uint32_t position) noexcept {
        attempt<Job, access<Job>> a{{static_cast<handler_table*>(runner.code())}, runner, slot, position};
        try {
            if (!a.begin()) return;
            if constexpr (is_coroutine<Job>) runner.executor().drive(std::move(a));
            else run_blocking(a);
        } catch (...) { a.fail(std::current_exception()); }
    }

    template <class Attempt>
    static void run_blocking(Attempt& a) {
        for (auto todo = a.next(); todo.what != try_do::stop; todo = a.next()) {
            if (todo.what == try_do::pause) a.paused(block_until(todo.until, a.stop_tokens()));
            else a.call();
        }
    }

    // Reads the key in the worker's own thread: only there the order of the jobs is known.
    template <class Job>
    static void dispatch(runner_type& runner, held_lease& slot, std::uint32_t position) {
        handler_table& self = *static_cast<handler_table*>(runner.code());
        Job job{};
        if (!read_job<Composition>(slot.lease.jobs[position].body, slot.version, job))
            return runner.executor().execute(runner.task_of(slot, position));  // the attempt reports the error
        auto* const line = self.strands_of<Job>().enter(plan<Job>::key(job), runner, slot, position);
        if (line != nullptr) self.start_first<Job>(*line, slot, position);
    }
    template <class Job, class Line>
    void start_first(Line& line, held_lease& slot, std::uint32_t position) {
        if constexpr (is_coroutine<Job>) line.all->remember_line(slot, position, line);
        line.owner->executor().execute(
            {.function = &run_line<Job, Line>, .owner = &line, .lease = &slot, .position = position});
    }

    // The task of a job that is the first of its line. One task runs all functions of a line, one after the other: an
    // executor need not accept tasks from its own threads. One that runs coroutines does.
    template <class Job, class Line>
    static void run_line(void* owner, void* lease, std::uint32_t position) noexcept {
        auto& line = *static_cast<Line*>(owner);
        auto& runner = *line.owner;
        handler_table& self = *static_cast<handler_table*>(runner.code());
        if constexpr (is_coroutine<Job>) {
            auto& slot = *static_cast<held_lease*>(lease);
            if (runner_type::try_begin(runner, slot, position)) return run<Job>(runner, slot, position);
            self.start_next<Job>(line);
        } else {
            runner_type::run_one(&runner, lease, position);
            while (const auto next = self.strands_of<Job>().next(line))
                runner_type::run_one(&runner, next->first, next->second);
        }
    }
    template <class Job, class Line>
    void start_next(Line& line) noexcept {
        if (const auto next = line.all->next(line)) start_first<Job>(line, *next->first, next->second);
    }

    // Collects the jobs that were claimed together: jobs of one lane are in one lease.
    template <class Job>
    static void gather(runner_type& runner, held_lease& slot, std::uint32_t position) {
        auto& batch = static_cast<handler_table*>(runner.code())->batch_of<Job>();
        if (batch && (batch->slot != &slot || batch->positions.size() >= runner.max_batch())) send_batch<Job>(runner);
        if (!batch) {
            batch = std::make_unique<job_batch>(&runner, slot);
            runner.when_dispatched(&send_batch<Job>);
        }
        batch->positions.push_back(position);
    }
    template <class Job>
    static void send_batch(runner_type& runner) {
        auto batch = std::move(static_cast<handler_table*>(runner.code())->batch_of<Job>());
        if (!batch) return;
        batch->count(runner.batched);
        task t = runner.task_of(*batch->slot, batch->positions.front());
        t.function = &run_batch<Job>;
        t.owner = batch.release();
        runner.executor().execute(t);
    }
    template <class Job>
    static void run_batch(void* batch, void*, std::uint32_t) noexcept {
        std::unique_ptr<job_batch> owned{static_cast<job_batch*>(batch)};
        auto& runner = *static_cast<runner_type*>(owned->runner);
        batch_attempt<Job, access<Job>> a{{static_cast<handler_table*>(runner.code())}, std::move(owned)};
        try {
            if (!a.begin()) return;
            if constexpr (is_coroutine<Job>) runner.executor().drive(std::move(a));
            else a.call();
        } catch (...) { a.fail(std::current_exception()); }
    }

    template <class Job>
    auto& own() noexcept {
        return std::get<Composition::template index_of<Job>>(own_);
    }
    template <class Job>
    auto& strands_of() noexcept {
        return std::get<Composition::template index_of<Job>>(strands_);
    }

    template <class Job>
    std::unique_ptr<job_batch>& batch_of() noexcept {
        return batches_[Composition::template index_of<Job>];
    }

    template <class Job>
    static constexpr typename runner_type::job_functions functions_for() {
        if constexpr (!contains_v<Job, typename Handlers::jobs>) return {};
        else {
            typename runner_type::job_functions f{.lease_per_job = ends_lease<Job>,
                                                  .once = at_most_once<Job>,
                                                  .max_attempts = settings_for<Composition, Job>::max_attempts};
            if constexpr (in_batches<Job>) f.dispatch = &gather<Job>, f.in_batches = true;
            else f.run = &run<Job>;
            if constexpr (plan<Job>::in_strands) f.dispatch = &dispatch<Job>;
            return f;
        }
    }
    template <class... Jobs>
    static constexpr std::array<typename runner_type::job_functions, sizeof...(Jobs)> functions_of(type_list<Jobs...>) {
        return {functions_for<Jobs>()...};
    }

    using plans = execution_plans<Composition, typename Handlers::jobs>;
    using own_executors = typename execution_plans<Composition, typename Composition::jobs>::own_executors;

    Handlers* handlers_;
    const queue_executor* queue_wide_;
    [[no_unique_address]] own_executors own_{};
    [[no_unique_address]] all_strands_t<Composition, runner_type> strands_{};
    using in_child_type = child_runner<Composition, Handlers>;
    [[no_unique_address]] std::conditional_t<plans::in_process, std::optional<in_child_type>, nothing> in_child_{};
    [[no_unique_address]] std::conditional_t<plans::in_process, std::optional<fork_server>, nothing> server_{};
    lazy_watchdog time_limits_{};  // any job may have a timeout of its own

    template <class... Jobs>
    static constexpr bool any_in_batches(type_list<Jobs...>) {
        return (in_batches<Jobs> || ...);
    }
    template <class... Jobs>
    static constexpr bool any_ends_lease(type_list<Jobs...>) {
        return (ends_lease<Jobs> || ...);
    }
    template <class Of>
    using own_sessions = std::optional<session_pool<Of>>;
    [[no_unique_address]] member_if_t<any_ends_lease(typename Handlers::jobs{}), own_sessions, Composition> sessions_{};
    [[no_unique_address]] std::conditional_t<any_in_batches(typename Handlers::jobs{}),
                                             std::array<std::unique_ptr<job_batch>, Composition::jobs::size>, nothing>
        batches_{};

public:
    static constexpr auto functions = functions_of(typename Composition::jobs{});
};

}  // namespace pgq::detail
