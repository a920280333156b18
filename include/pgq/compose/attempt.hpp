#pragma once

#include <pgq/compose/child_job.hpp>
#include <pgq/compose/composition.hpp>
#include <pgq/compose/handler_call.hpp>
#include <pgq/compose/job_plan.hpp>
#include <pgq/compose/layers.hpp>
#include <pgq/compose/lease_slot.hpp>
#include <pgq/compose/read_job.hpp>
#include <pgq/compose/retry_delay.hpp>
#include <pgq/concept/decorator.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/error/result.hpp>
#include <pgq/event/events.hpp>
#include <pgq/executor/watchdog.hpp>
#include <pgq/job/context.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/job/services.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/transaction/handler_scope.hpp>
#include <pgq/transaction/session_pool.hpp>

#include <array>
#include <chrono>
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

/// The text of whatever a handler threw.
inline std::string what_of(const std::exception_ptr& thrown) noexcept {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& e) { return e.what(); } catch (...) {
        return "an exception that is no std::exception";
    }
}

/// What the context of a job of that type, in that lease, can do about what is stored of it.
template <class Composition, class Job>
job_services services_of(job_desk* desk, const lease_slot& slot,
                         std::optional<std::string>* revised = nullptr) noexcept {
    return {.desk = desk,
            .lease = slot.lease.ref.id,
            .writer = &writer_of<Job, typename Composition::template serializer_of<Job>>,
            .former = slot.version != 0,
            .revised = revised};
}

/// One attempt of a job: `begin()`, and then what `next()` says, by whoever runs it: a thread that may block, or
/// executor::coroutine, where the handler's coroutine looks at the job and the context in here. `Access` is how it gets at the rest.
template <class Job, class Access>
class attempt {
    using runner_type = typename Access::runner;
    using composition = typename Access::composition;
    using plan = job_plan<composition, Job>;
    using observer_type = typename runner_type::observer_type;
    using serializer = typename composition::template serializer_of<Job>;
    static constexpr bool in_transaction = Access::in_transaction;
    static constexpr bool once = Access::once;

public:
    attempt(Access access, runner_type& r, lease_slot& s, std::uint32_t position)
        : access_{access}, runner_{&r}, slot_{&s}, position_{position} {}

    /// False when the payload cannot be read; the attempt is over then.
    bool begin() {
        if constexpr (!plan::in_process) {  // there it is read inside, as it may crash like the handler
            if (auto read = read_job<composition>(record().body, slot_->version, job_); !read) {
                conclude({.what = cannot_be_read(read.error())});
                return false;
            }
        }
        if constexpr (once)
            if (!acknowledge_first()) return false;
        notify(runner_->observer(), event::job_started{record().id, entrypoint_of<Job>, record().attempt});
        const bool timed = observes<observer_type, event::job_finished>;
        const auto now = timed || plan::has_layers ? std::chrono::steady_clock::now() : steady_time{};
        if (timed) began_ = now;
        if constexpr (plan::has_layers) enter_layers(now);
        todo_ = {.what = try_do::run};
        return true;
    }

    try_action next() const noexcept { return todo_; }

    /// Runs a handler that is a function.
    void call() noexcept {
        try {
            if constexpr (plan::in_process) {
                settle(in_process(new_context()));
            } else if constexpr (in_transaction) {
                settle({.what = in_its_transaction(new_context())});
            } else {
                auto& handler = access_.handler();
                settle({.what = invoke_handler<Job, serializer>(handler, job_, new_context())});
            }
        } catch (...) { threw(std::current_exception()); }
    }
    /// Runs a handler that is a coroutine; what came of it is told by one of the two below.
    auto start() { return call_handler(access_.handler(), job_, new_context()); }
    template <class... Value>
    void ended(Value&&... value) noexcept {
        try {
            if constexpr (sizeof...(Value) == 0) settle({});
            else settle({.what = to_outcome<Job, serializer>(std::forward<Value>(value)...)});
        } catch (...) { fail(std::current_exception()); }
    }
    void threw(const std::exception_ptr& e) noexcept {
        try {
            if constexpr (in_transaction) transaction_.roll_back();
            settle({.what = retry_after{{}, what_of(e)}, .names_delay = false});
        } catch (...) { fail(std::current_exception()); }
    }

    /// What cuts a pause short.
    std::array<std::stop_token, 2> stop_tokens() const {
        if constexpr (plan::has_layers) return {shaped_->watch, runner_->giving_back.get_token()};
        else return {};
    }
    void paused(bool whole) noexcept {
        if constexpr (plan::has_layers) {
            try {
                const auto now = std::chrono::steady_clock::now();
                if (!whole) return pause_or_conclude(shaped_->stack.give_up(shaped_->result, now, shaped_->watch), now);
                if (!read_revised()) return;
                shaped_->stack.again(shaped_->scope, now);
                todo_ = {.what = try_do::run};
            } catch (...) { fail(std::current_exception()); }
        }
    }

    /// Ends the attempt without asking its decorators.
    void fail(const std::exception_ptr& e) noexcept {
        conclude({.what = retry_after{{}, what_of(e)}, .names_delay = false});
    }

private:
    const job_record& record() const noexcept { return slot_->lease.jobs[position_]; }

    try_result in_process(const context& c) {
        const auto request = child_job::pack(composition::template index_of<Job>, slot_->version, record(), tries_,
                                             c.must_end_by().value_or(steady_time::max()));
        std::string answer;
        const child_end end = access_.server().run(request, c.stop_token(), access_.process_grace(), answer);
        if (end.how == child_end::kind::answered) return unpack_result(answer);
        if (end.how == child_end::kind::no_server) notify(runner_->observer(), event::trouble{no_fork_server()});
        return result_of(end, c.stop_token().stop_requested());
    }

    // No attempt of the job's is wasted on the trouble of getting a connection.
    outcome in_its_transaction(context& c) {
        if (auto begun = transaction_.begin(access_.desk()); !begun) {
            notify(runner_->observer(), event::trouble{begun.error()});
            return snooze{std::chrono::seconds{1}};
        }
        outcome o = invoke_handler<composition, Job, serializer>(access_.handler(), job_, c, *transaction_);
        if (o.what() != outcome::kind::done) transaction_.roll_back();
        return o;
    }
    // False when it must not run: it is not ours any more, or the database has to be asked again later.
    bool acknowledge_first() {
        slot_->closing.store(true);
        const auto ended = access_.desk().acknowledge(slot_->worker, slot_->claimed, {slot_->stop_token(position_)});
        acknowledged_ = ended.has_value();
        if (ended && *ended == lease_end::ended) return true;
        if (!ended) {
            slot_->closing.store(false);
            notify(runner_->observer(), event::trouble{ended.error()});
            conclude({.what = snooze{std::chrono::seconds{1}}});
            return false;
        }
        if (*ended == lease_end::lost) notify(runner_->observer(), event::lease_lost{slot_->claimed.id, 1});
        else notify(runner_->observer(), event::trouble{may_be_gone(record().id)});
        conclude({.what = retry_after{{}, "it was not acknowledged, so it has not run"}});
        return false;
    }
    static error_info may_be_gone(job_id id) {
        return {errc::connection_lost, "job " + std::to_string(id.value) +
                                           " is delivered at most once, and may be gone without having run: the "
                                           "connection broke while it was acknowledged"};
    }

    // What the decorators have made of the result decides. True when the database has been told what became of the job.
    bool end_transaction(try_result& r) noexcept {
        if (!transaction_.is_open()) return false;
        if (r.what.what() != outcome::kind::done) return transaction_.roll_back(), false;
        try {
            slot_->closing.store(true);
            const auto ended =
                transaction_.commit(slot_->worker, slot_->claimed, r.what.result(), {slot_->stop_token(position_)});
            if (!ended) {
                slot_->closing.store(false);
                r = {.what = retry_after{{}, "the transaction was not committed: " + ended.error().text()},
                     .names_delay = false};
                return false;
            }
            if (*ended == lease_end::lost) notify(runner_->observer(), event::lease_lost{slot_->claimed.id, 1});
            if (*ended != lease_end::ended) r.what = retry_after{{}, "the transaction was not committed"};
            return true;
        } catch (...) {
            slot_->closing.store(false);
            r = {.what = retry_after{{}, what_of(std::current_exception())}, .names_delay = false};
            return false;
        }
    }

    // A handler may keep the context's address until it ends.
    context& new_context() {
        ++tries_;
        if constexpr (plan::has_layers) {
            const try_scope& s = shaped_->scope;
            return context_.emplace(record(), s.stop, runner_->shared(), tries_, s.must_end_by,
                                    services(&shaped_->revised));
        } else {
            return context_.emplace(record(), slot_->stop_token(position_), runner_->shared(), tries_,
                                    steady_time::max(), services(nullptr));
        }
    }
    job_services services(std::optional<std::string>* revised) const noexcept {
        return services_of<composition, Job>(runner_->desk, *slot_, revised);
    }
    // The next try begins with what the one before has stored.
    bool read_revised() {
        if (!shaped_->revised) return true;
        const std::string body = *std::exchange(shaped_->revised, std::nullopt);
        if constexpr (std::is_move_assignable_v<Job>) job_ = Job{};
        if (auto read = read_job<composition>(body, slot_->version, job_); !read)
            return conclude({.what = cannot_be_read(read.error())}), false;
        return true;
    }

    void enter_layers(steady_time now) {
        const attempt_services services{.dog = dog(), .owner = runner_, .overran = &overran, .came_back = &came_back};
        shaped_ = std::apply([&](const auto&... layers) { return std::make_unique<shaped>(services, layers...); },
                             access_.layers());
        shaped_->scope = {.id = record().id,
                          .entrypoint = entrypoint_of<Job>,
                          .attempt = record().attempt,
                          .began = now,
                          .stop = slot_->stop_token(position_)};
        shaped_->stack.enter(shaped_->scope, now);
    }
    watchdog* dog() const noexcept {
        if constexpr (plan::needs_watchdog) return &access_.dog();
        else return nullptr;
    }
    static void overran(void* owner, const try_scope& s, duration run_time) noexcept {
        static_cast<runner_type*>(owner)->overran({s.id, s.entrypoint, s.attempt, run_time});
    }
    static void came_back(void* owner) noexcept { static_cast<runner_type*>(owner)->came_back(); }

    void settle(try_result&& r) {
        if constexpr (!plan::has_layers) {
            conclude(std::move(r));
        } else {
            const auto now = std::chrono::steady_clock::now();
            shaped_->result = std::move(r);
            pause_or_conclude(shaped_->stack.leave(shaped_->result, now, shaped_->watch), now);
        }
    }
    void pause_or_conclude(std::optional<duration> pause, steady_time now) {
        if (!pause) return conclude(std::move(shaped_->result));
        notify(runner_->observer(), event::try_failed{record().id, entrypoint_of<Job>, record().attempt, tries_,
                                                      shaped_->result.what.reason(), *pause});
        todo_ = {.what = try_do::pause, .until = now + *pause};
    }

    // The last that is done to the slot, and to the line of its strand.
    void conclude(try_result&& r) noexcept {
        todo_ = {};
        bool aside = acknowledged_;
        if constexpr (in_transaction) aside = end_transaction(r);
        if (r.failed() && !r.names_delay) {
            const auto delay = rest_of<typename composition::template backoff_of<Job>>(record());
            r.what = retry_after{delay, std::move(r.what).reason()};
        }
        auto* const line = access_.strand_of(*slot_, position_);
        runner_->conclude(*slot_, position_, entrypoint_of<Job>, began_, std::move(r.what), aside);
        access_.go_on(line);
    }

    struct no_layers {};
    template <class Stack>
    struct shaped_by {
        template <class... Layers>
        explicit shaped_by(const attempt_services& services, const Layers&... layers) : stack{services, layers...} {}

        Stack stack;
        try_scope scope{};
        try_result result{};
        std::stop_token watch{};
        std::optional<std::string> revised{};
    };
    using shaped = shaped_by<typename stack_over<decltype(std::declval<Access>().layers())>::type>;

    Access access_;
    runner_type* runner_;
    lease_slot* slot_;
    std::uint32_t position_;
    int tries_ = 0;
    Job job_{};
    std::optional<context> context_{};
    steady_time began_{};
    try_action todo_{};
    bool acknowledged_ = false;  // before it has run
    struct no_transaction {};
    template <bool Wanted, class Of>
    struct run_if {
        using type = no_transaction;
    };
    template <class Of>
    struct run_if<true, Of> {
        using type = handler_scope<Of>;
    };
    [[no_unique_address]] typename run_if<in_transaction, composition>::type transaction_{};
    // Elsewhere, because what looks at it may not move as an attempt does on its way into a coroutine.
    [[no_unique_address]] std::conditional_t<plan::has_layers, std::unique_ptr<shaped>, no_layers> shaped_{};
};

}  // namespace pgq::detail
