#pragma once

#include <pgq/compose/attempt.hpp>
#include <pgq/compose/batch_attempt.hpp>
#include <pgq/compose/child_job.hpp>
#include <pgq/compose/gathered.hpp>
#include <pgq/compose/handler_call.hpp>
#include <pgq/compose/job_plan.hpp>
#include <pgq/compose/lease_slot.hpp>
#include <pgq/compose/pause.hpp>
#include <pgq/compose/runner.hpp>
#include <pgq/compose/strands.hpp>
#include <pgq/concept/decorator.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/executor/fork_server.hpp>
#include <pgq/executor/watchdog.hpp>
#include <pgq/job/context.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/job/resources.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/transaction/session_pool.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace pgq::detail {

/// What is typed about running jobs: for each job type of a composition a function that reads the payload, calls the handler in its
/// decorators and makes an outcome of what came of it. One object for each run of a worker, in one place as long as that lasts.
template <class Composition, class Handlers>
class job_code {
    using queue_executor = typename Composition::executor;

public:
    using runner_type = runner<queue_executor, typename Composition::observer>;

    /// Throws std::system_error when a thread or process that it needs cannot be had. What forks does so before there is a thread.
    template <class Queue>
    job_code(Handlers& handlers, const Queue& queue, const resources* shared)
        : handlers_{&handlers}, queue_wide_{&queue.executor()}, shared_{shared} {
        if constexpr (any_apart) desk_.emplace(queue.core());
        if constexpr (members::in_process) server_.emplace(&answer_in_child, this);
        if constexpr (members::needs_watchdog) dog_.emplace();
    }
    job_code(const job_code&) = delete;
    job_code& operator=(const job_code&) = delete;

private:
    template <class Job>
    using plan = job_plan<Composition, Job>;
    template <class Job>
    static constexpr bool is_coroutine = Handlers::template call_of<Job>::is_coroutine;
    template <class Job>
    static constexpr bool in_transaction = Handlers::template call_of<Job>::in_transaction;
    template <class Job>
    static constexpr bool once = Composition::template delivery_of<Job>::acknowledges_first;
    template <class Job>
    static constexpr bool apart = in_transaction<Job> || once<Job>;
    template <class Job>
    static constexpr bool in_batches = Handlers::template call_of<Job>::in_batches;

    struct nothing {};

    // What an attempt needs of all this.
    template <class Job>
    struct access {
        using runner = runner_type;
        using composition = Composition;

        job_code* code;

        auto layers() const { return plan<Job>::layers(code->own<Job>(), *code->queue_wide_); }
        watchdog& dog() const noexcept { return *code->dog_; }
        const fork_server& server() const noexcept { return *code->server_; }
        duration process_grace() const noexcept {
            return plan<Job>::process_grace(code->own<Job>(), *code->queue_wide_);
        }
        static constexpr bool in_transaction = job_code::in_transaction<Job>;
        static constexpr bool once = job_code::once<Job>;
        auto& desk() const noexcept { return *code->desk_; }
        auto& handler() const noexcept { return code->handlers_->template handler_for<Job>(); }
        // The end of a coroutine is the only place where its strand can go on.
        auto* strand_of(lease_slot& slot, std::uint32_t position) const {
            if constexpr (plan<Job>::in_strands && is_coroutine<Job>) {
                return code->strands_of<Job>().forget(slot, position);
            } else return static_cast<nothing*>(nullptr);
        }
        template <class Line>
        void go_on(Line* line) const noexcept {
            if constexpr (plan<Job>::in_strands && is_coroutine<Job>) {
                if (line != nullptr) code->hand_on<Job>(*line);
            }
        }
    };

    template <class Job>
    static void run(runner_type& runner, lease_slot& slot, std::uint32_t position) noexcept {
        attempt<Job, access<Job>> a{{static_cast<job_code*>(runner.code())}, runner, slot, position};
        try {
            if (!a.begin()) return;
            if constexpr (is_coroutine<Job>) runner.executor().drive(std::move(a));
            else work(a);
        } catch (...) { a.fail(std::current_exception()); }
    }

    template <class Attempt>
    static void work(Attempt& a) {
        for (auto todo = a.next(); todo.what != try_do::stop; todo = a.next()) {
            if (todo.what == try_do::pause) a.paused(block_until(todo.until, a.stop_tokens()));
            else a.call();
        }
    }

    // Reads the key here, in the worker's own thread, because there alone the order is known.
    template <class Job>
    static void dispatch(runner_type& runner, lease_slot& slot, std::uint32_t position) {
        job_code& self = *static_cast<job_code*>(runner.code());
        Job job{};
        if (!read_job<Composition>(slot.lease.jobs[position].body, slot.version, job))
            return runner.executor().execute(runner.task_of(slot, position));  // the attempt says what is wrong with it
        auto* const line = self.strands_of<Job>().enter(plan<Job>::key(job), runner, slot, position);
        if (line != nullptr) self.start_first<Job>(*line, slot, position);
    }
    template <class Job, class Line>
    void start_first(Line& line, lease_slot& slot, std::uint32_t position) {
        if constexpr (is_coroutine<Job>) line.all->remember(slot, position, line);
        line.owner->executor().execute(
            {.function = &run_line<Job, Line>, .owner = &line, .lease = &slot, .position = position});
    }

    // The task of a job that is the first of its line. Functions of one line are run one after the other by one task, whatever
    // the executor: handing on to it from here is not in its contract. For coroutines it is.
    template <class Job, class Line>
    static void run_line(void* owner, void* lease, std::uint32_t position) noexcept {
        auto& line = *static_cast<Line*>(owner);
        auto& runner = *line.owner;
        job_code& self = *static_cast<job_code*>(runner.code());
        if constexpr (is_coroutine<Job>) {
            auto& slot = *static_cast<lease_slot*>(lease);
            if (runner_type::may_begin(runner, slot, position)) return run<Job>(runner, slot, position);
            self.hand_on<Job>(line);
        } else {
            runner_type::run_one(&runner, lease, position);
            while (const auto next = self.strands_of<Job>().next(line))
                runner_type::run_one(&runner, next->first, next->second);
        }
    }
    template <class Job, class Line>
    void hand_on(Line& line) noexcept {
        if (const auto next = line.all->next(line)) start_first<Job>(line, *next->first, next->second);
    }

    // Gathers those that were claimed together; they are in one lease as they are in one lane.
    template <class Job>
    static void gather(runner_type& runner, lease_slot& slot, std::uint32_t position) {
        auto& batch = static_cast<job_code*>(runner.code())->batch_of<Job>();
        if (batch && (batch->slot != &slot || batch->positions.size() >= runner.max_batch())) send_batch<Job>(runner);
        if (!batch) {
            batch = std::make_unique<gathered>(&runner, slot);
            runner.when_dispatched(&send_batch<Job>);
        }
        batch->positions.push_back(position);
    }
    template <class Job>
    static void send_batch(runner_type& runner) {
        auto batch = std::move(static_cast<job_code*>(runner.code())->batch_of<Job>());
        if (!batch) return;
        batch->count(runner.batched);
        task t = runner.task_of(*batch->slot, batch->positions.front());
        t.function = &run_batch<Job>;
        t.owner = batch.release();
        runner.executor().execute(t);
    }
    template <class Job>
    static void run_batch(void* batch, void*, std::uint32_t) noexcept {
        std::unique_ptr<gathered> owned{static_cast<gathered*>(batch)};
        auto& runner = *static_cast<runner_type*>(owned->runner);
        batch_attempt<Job, access<Job>> a{{static_cast<job_code*>(runner.code())}, std::move(owned)};
        try {
            if (!a.begin()) return;
            if constexpr (is_coroutine<Job>) runner.executor().drive(std::move(a));
            else a.call();
        } catch (...) { a.fail(std::current_exception()); }
    }

    // What a child process does.
    static std::string answer_in_child(void* code, std::string_view request) noexcept {
        const child_job asked{request};
        return pack_result(child_functions[asked.type](*static_cast<job_code*>(code), asked));
    }
    template <class Job>
    static try_result run_in_child(job_code& self, const child_job& asked) {
        try {
            Job job{};
            if (auto read = read_job<Composition>(asked.record.body, asked.version, job); !read)
                return {.what = cannot_be_read(read.error())};
            static const resources none;
            context ctx{asked.record, std::stop_token{}, self.shared_ ? *self.shared_ : none, asked.try_number,
                        asked.must_end_by};
            return {.what = self.handlers_->template invoke<Job>(job, ctx)};
        } catch (...) { return {.what = retry_after{{}, what_of(std::current_exception())}, .names_delay = false}; }
    }
    template <class Job>
    static constexpr auto child_function_for() -> try_result (*)(job_code&, const child_job&) {
        if constexpr (plan<Job>::in_process) return &run_in_child<Job>;
        else return nullptr;
    }
    template <class... Jobs>
    static constexpr auto child_functions_of(type_list<Jobs...>)
        -> std::array<try_result (*)(job_code&, const child_job&), sizeof...(Jobs)> {
        return {child_function_for<Jobs>()...};
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
    std::unique_ptr<gathered>& batch_of() noexcept {
        return batches_[Composition::template index_of<Job>];
    }

    template <class Job>
    static constexpr typename runner_type::job_functions functions_for() {
        if constexpr (in_batches<Job>) return {.dispatch = &gather<Job>, .in_batches = true};
        else if constexpr (plan<Job>::in_strands) {
            return {.run = &run<Job>, .dispatch = &dispatch<Job>, .apart = apart<Job>, .once = once<Job>};
        } else return {.run = &run<Job>, .apart = apart<Job>, .once = once<Job>};
    }
    template <class... Jobs>
    static constexpr std::array<typename runner_type::job_functions, sizeof...(Jobs)> functions_of(type_list<Jobs...>) {
        return {functions_for<Jobs>()...};
    }

    using members = plans_of<Composition, runner_type, typename Composition::jobs>;

    Handlers* handlers_;
    const queue_executor* queue_wide_;
    const resources* shared_;
    [[no_unique_address]] typename members::own_executors own_{};
    [[no_unique_address]] typename members::strands strands_{};
    [[no_unique_address]] std::conditional_t<members::in_process, std::optional<fork_server>, nothing> server_{};
    [[no_unique_address]] std::conditional_t<members::needs_watchdog, std::optional<watchdog>, nothing> dog_{};

    template <class... Jobs>
    static constexpr bool any_in_batches(type_list<Jobs...>) {
        return (in_batches<Jobs> || ...);
    }
    template <class... Jobs>
    static constexpr bool any_is_apart(type_list<Jobs...>) {
        return (apart<Jobs> || ...);
    }
    static constexpr bool any_apart = any_is_apart(typename Composition::jobs{});
    template <bool Any, class Of>
    struct desk_if {
        using type = nothing;
    };
    template <class Of>
    struct desk_if<true, Of> {
        using type = std::optional<session_pool<Of>>;
    };
    [[no_unique_address]] typename desk_if<any_apart, Composition>::type desk_{};
    [[no_unique_address]] std::conditional_t<any_in_batches(typename Composition::jobs{}),
                                             std::array<std::unique_ptr<gathered>, Composition::jobs::size>, nothing>
        batches_{};

    static constexpr auto child_functions = child_functions_of(typename Composition::jobs{});

public:
    static constexpr auto functions = functions_of(typename Composition::jobs{});
};

}  // namespace pgq::detail
