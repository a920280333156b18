#pragma once

#include <pgq/client/open_transaction.hpp>
#include <pgq/compose/composition.hpp>
#include <pgq/compose/execution_plan.hpp>
#include <pgq/compose/read_job.hpp>
#include <pgq/compose/retry_delay.hpp>
#include <pgq/compose/settings.hpp>
#include <pgq/concept/decorator.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/context/context.hpp>
#include <pgq/event/events.hpp>
#include <pgq/executor/time_limit.hpp>
#include <pgq/executor/watchdog.hpp>
#include <pgq/handler/attempt_trace.hpp>
#include <pgq/handler/child_protocol.hpp>
#include <pgq/handler/decorated_calls.hpp>
#include <pgq/handler/early_acknowledgement.hpp>
#include <pgq/handler/exception_text.hpp>
#include <pgq/handler/invoke.hpp>
#include <pgq/handler/services_for.hpp>
#include <pgq/handler/transaction_end.hpp>
#include <pgq/health/running_handlers.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/protocol/own_settings.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/worker/held_lease.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

namespace pgq::detail {

/// One attempt of a job: it reads the payload, calls the handler, perhaps several times (decorators), and reports one
/// outcome to the job runner. It does not wait: the caller calls begin() and then does what next() says, until that is
/// `stop`. The caller is a thread that may block (handler_table::run_blocking), or executor::coroutine. The coroutine
/// of a handler refers to the job and the context in this object.
///
/// `Access` gives access to what is outside: the handler, its decorators, sessions, the time; see handler_table.
template <class Job, class Access>
class attempt {
    using runner_type = typename Access::runner;
    using composition = typename Access::composition;
    using plan = execution_plan<composition, Job>;
    using settings = settings_for<composition, Job>;
    using serializer = typename composition::template serializer_of<Job>;
    static constexpr bool in_transaction = Access::in_transaction;
    static constexpr bool at_most_once = Access::at_most_once;

public:
    attempt(Access access, runner_type& r, held_lease& s, std::uint32_t position)
        : access_{access}, runner_{&r}, slot_{&s}, position_{position} {}

    /// Returns false if the payload cannot be read, or the job must not run: then the attempt is over.
    bool begin() {
        trace_.begin(runner_->observer(), slot_->queue, entrypoint_of<Job>, record());
        if constexpr (!plan::in_process) {  // with executor::process the child reads it: reading may crash, too
            if (auto read = read_job<composition>(record().body, slot_->version, job_); !read) {
                conclude({.what = cannot_be_read(read.error())});
                return false;
            }
        }
        if constexpr (at_most_once) {
            auto acknowledged = acknowledge_early(access_.sessions(), *slot_, position_, runner_->observer());
            settled_by_handler_ = acknowledged.lease_ended;
            if (!acknowledged.may_run) return conclude({.what = std::move(acknowledged.otherwise)}), false;
        }
        notify(runner_->observer(), event::job_started{record().id, entrypoint_of<Job>, record().attempt, slot_->queue,
                                                       slot_->lease.waited(record())});
        began_ = access_.now();
        running_ = runner_->handler_begins();
        if (settings::time_limit || !record().headers.empty()) [[unlikely]]
            begin_limit();
        if constexpr (plan::is_decorated) enter_decorators(began_);
        todo_ = {.what = try_do::run};
        return true;
    }

    try_action next() const noexcept { return todo_; }

    /// Calls a handler that is a function. For a coroutine, the caller calls start() instead.
    void call() noexcept {
        [[maybe_unused]] const auto active = trace_.activate();
        try {
            if constexpr (plan::in_process) {
                settle(call_in_process(new_context()));
            } else if constexpr (in_transaction) {
                settle({.what = call_in_transaction(new_context())});
            } else {
                auto& handler = access_.handler();
                settle({.what = invoke_handler<Job, serializer>(handler, job_, new_context())});
            }
        } catch (...) { threw(std::current_exception()); }
    }
    /// Starts a handler that is a coroutine. When that ends, the caller calls `ended` or `threw`.
    auto start() { return call_handler(access_.handler(), job_, new_context()); }
    template <class... Value>
    void ended(Value&&... value) noexcept {
        try {
            if constexpr (sizeof...(Value) == 0) settle({});
            else settle({.what = to_outcome<Job, serializer>(std::forward<Value>(value)...)});
        } catch (...) { fail(std::current_exception()); }
    }
    /// The handler has thrown: the decorators may call it again.
    void threw(const std::exception_ptr& e) noexcept {
        try {
            if constexpr (in_transaction) transaction_.roll_back();
            settle(failed_with(e));
        } catch (...) { fail(std::current_exception()); }
    }

    /// A pause ends early when one of these fires.
    std::array<std::stop_token, 2> stop_tokens() const {
        if constexpr (plan::is_decorated) return {calls_->pause_stop(), runner_->return_unstarted.get_token()};
        else return {};
    }
    /// The pause is over; `whole` is false if a stop token ended it early.
    void paused(bool whole) noexcept {
        if constexpr (plan::is_decorated) {
            try {
                const auto now = access_.now();
                if (!whole) return pause_or_conclude(calls_->pause_interrupted(now), now);
                if (!read_revised()) return;
                calls_->again(now);
                todo_ = {.what = try_do::run};
            } catch (...) { fail(std::current_exception()); }
        }
    }

    /// Ends the attempt as failed; the decorators cannot call the handler again.
    void fail(const std::exception_ptr& e) noexcept { conclude(failed_with(e)); }

private:
    const job_record& record() const noexcept { return slot_->lease.jobs[position_]; }

    try_result call_in_process(const context& c) {
        const auto request =
            child_job::encode(composition::template index_of<Job>, slot_->version, record(), calls_made_,
                              c.must_end_by().value_or(steady_time::max()), slot_->queue, trace_.context());
        std::string answer;
        const child_end end = access_.server().run(request, c.stop_token(), access_.process_grace(), answer);
        if (end.how == child_end::kind::answered) return decode_result(answer);
        if (end.how == child_end::kind::no_server) notify(runner_->observer(), event::error{no_fork_server()});
        return result_of(end, c.stop_token().stop_requested());
    }

    // If no connection can be opened, the job runs again after 1 s, and the attempt does not count.
    outcome call_in_transaction(context& c) {
        if (auto begun = transaction_.begin(access_.sessions()); !begun) {
            notify(runner_->observer(), event::error{begun.error()});
            return snooze{std::chrono::seconds{1}};
        }
        const open_transaction inside{access_.sessions().transactions()};
        outcome o = invoke_handler<composition, Job, serializer>(access_.handler(), job_, c, *transaction_);
        if (o.what() != outcome::kind::done) transaction_.roll_back();
        return o;
    }

    // The context of the next call. It stays at its address until the next call: a handler may keep a reference.
    context& new_context() {
        ++calls_made_;
        if constexpr (plan::is_decorated) {
            const try_scope& s = calls_->scope();
            return context_.emplace(record(), s.stop, runner_->shared(), calls_made_, s.must_end_by,
                                    services_of(&calls_->revised()));
        } else {
            if (limit_) [[unlikely]]
                return limited_context();
            return context_.emplace(record(), slot_->stop_token(position_), runner_->shared(), calls_made_,
                                    steady_time::max(), services_of(nullptr));
        }
    }
    job_services services_of(std::optional<std::string>* revised) const noexcept {
        return services_for<composition, Job>(runner_->reviser, *slot_, position_, trace_.context(), revised);
    }
    // If the former call has stored a checkpoint (context::update), the next call gets that payload. False if it cannot
    // be read: then the attempt is over.
    bool read_revised() {
        if (!calls_->revised()) return true;
        const std::string body = *std::exchange(calls_->revised(), std::nullopt);
        if constexpr (std::is_move_assignable_v<Job>) job_ = Job{};
        if (auto read = read_job<composition>(body, slot_->version, job_); !read)
            return conclude({.what = cannot_be_read(read.error())}), false;
        return true;
    }

    // The job's own timeout goes before that of its type.
    void begin_limit() {
        const auto own = own_timeout_of(record().headers);
        const auto limit = own ? own : settings::time_limit;
        if (limit)
            limit_ = std::make_unique<own_limit>(*limit, services(&access_.time_limits()), outside(access_.now()));
    }
    void end_limit(try_result& r) noexcept {
        (void)limit_->limit.leave(limit_->inside, r, access_.now());
        limit_.reset();
    }
    context& limited_context() {
        return context_.emplace(record(), limit_->inside.stop, runner_->shared(), calls_made_,
                                limit_->inside.must_end_by, services_of(nullptr));
    }
    void enter_decorators(steady_time now) {
        calls_ = std::make_unique<calls>(services(time_limits()), access_.decorators(),
                                         limit_ ? limit_->inside : outside(now), now);
    }
    // What the outermost limit or decorator gets to see.
    try_scope outside(steady_time now) const {
        return {.id = record().id,
                .entrypoint = entrypoint_of<Job>,
                .attempt = record().attempt,
                .began = now,
                .stop = slot_->stop_token(position_),
                .queue = slot_->queue};
    }
    watchdog* time_limits() const {
        if constexpr (plan::needs_watchdog) return &access_.time_limits();
        else return nullptr;
    }
    attempt_services services(watchdog* time_limits) const noexcept {
        return {.time_limits = time_limits,
                .owner = runner_,
                .exceeded_timeout = &exceeded_timeout,
                .handler_ended = &handler_ended};
    }
    static void exceeded_timeout(void* owner, const try_scope& s, duration run_time) noexcept {
        static_cast<runner_type*>(owner)->exceeded_timeout({s.id, s.entrypoint, s.attempt, run_time, s.queue});
    }
    static void handler_ended(void* owner) noexcept { static_cast<runner_type*>(owner)->handler_ended(); }

    void settle(try_result&& r) {
        if constexpr (!plan::is_decorated) {
            conclude(std::move(r));
        } else {
            const auto now = access_.now();
            pause_or_conclude(calls_->ended(std::move(r), now), now);
        }
    }
    void pause_or_conclude(std::optional<duration> pause, steady_time now) {
        if (!pause) return conclude(std::move(calls_->result()));
        notify(runner_->observer(), event::try_failed{record().id, entrypoint_of<Job>, record().attempt, calls_made_,
                                                      calls_->result().what.reason(), *pause, slot_->queue});
        todo_ = {.what = try_do::pause, .until = now + *pause};
    }

    // Ends the attempt: reports the outcome to the runner, and starts the next job of the strand. After the report this
    // object must not touch the lease: the worker may use the memory for another lease.
    void conclude(try_result&& r) noexcept {
        todo_ = {};
        running_.end();
        if (limit_) [[unlikely]]
            end_limit(r);
        bool settled_by_handler = settled_by_handler_;
        if constexpr (in_transaction)
            settled_by_handler = end_transaction(transaction_, *slot_, position_, runner_->observer(), r);
        if (r.failed() && !r.has_delay) {
            const auto delay = retry_delay<typename composition::template backoff_of<Job>>(record());
            r.what = retry_after{delay, std::move(r.what).reason()};
        }
        auto* const line = access_.line_of(*slot_, position_);  // of the strand; null unless a coroutine has ended
        const auto ended = [this](const outcome& o) noexcept { trace_.end(o); };
        runner_->conclude(*slot_, position_, entrypoint_of<Job>, began_, std::move(r.what), ended, settled_by_handler);
        access_.start_next(line);
    }

    /// The timeout of the whole attempt, around all decorators.
    struct own_limit {
        own_limit(duration d, const attempt_services& services, try_scope&& outside)
            : limit{d, settings::time_limit_grace, services}, inside{std::move(outside)} {
            limit.enter(inside);
        }
        time_limit limit;
        try_scope inside;  // what is in it sees this
    };
    struct nothing {};
    using calls = decorated_calls<decltype(std::declval<const Access&>().decorators())>;

    Access access_;
    runner_type* runner_;
    held_lease* slot_;
    std::uint32_t position_;
    int calls_made_ = 0;
    Job job_{};
    std::optional<context> context_{};
    steady_time began_{};
    running_handlers::registration running_{};
    try_action todo_{};
    bool settled_by_handler_ = false;     // at-most-once delivery: the job was acknowledged before it ran
    std::unique_ptr<own_limit> limit_{};  // elsewhere, as calls_
    [[no_unique_address]] typename Access::transaction transaction_{};
    [[no_unique_address]] attempt_trace<typename runner_type::observer_type> trace_{};
    // On the heap: other objects refer to it, and this object moves into a coroutine.
    [[no_unique_address]] std::conditional_t<plan::is_decorated, std::unique_ptr<calls>, nothing> calls_{};
};

}  // namespace pgq::detail
