#pragma once

#include <pgq/compose/read_job.hpp>
#include <pgq/compose/retry_delay.hpp>
#include <pgq/concept/decorator.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/context/batch_context.hpp>
#include <pgq/context/context.hpp>
#include <pgq/event/events.hpp>
#include <pgq/handler/attempt_trace.hpp>
#include <pgq/handler/exception_text.hpp>
#include <pgq/handler/invoke.hpp>
#include <pgq/handler/services_for.hpp>
#include <pgq/health/running_handlers.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/worker/held_lease.hpp>
#include <pgq/worker/job_batch.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace pgq::detail {

/// One call of a batch handler: what `attempt` is for a single job, run in the same ways. Each job of the batch keeps
/// its own count of attempts and its own back-off.
template <class Job, class Access>
class batch_attempt {
    using runner_type = typename Access::runner;
    using composition = typename Access::composition;

public:
    batch_attempt(Access access, std::unique_ptr<job_batch> batch)
        : access_{access}, runner_{static_cast<runner_type*>(batch->runner)}, batch_{std::move(batch)} {}

    /// False if no job is left to run: the worker took them back, or their payloads cannot be read.
    bool begin() {
        auto& positions = batch_->positions;
        std::erase_if(positions, [&](std::uint32_t p) { return !runner_type::try_begin(*runner_, slot(), p); });
        jobs_.reserve(positions.size());
        for (std::size_t i = 0; i < positions.size();) {
            if (auto read = read_job<composition>(record(i).body, slot().version, jobs_.emplace_back()); !read) {
                jobs_.pop_back();
                conclude(std::exchange(positions[i], no_position), cannot_be_read(read.error()));
                positions.erase(positions.begin() + static_cast<std::ptrdiff_t>(i));
            } else ++i;
        }
        if (positions.empty()) return false;
        for (std::size_t i = 0; i < positions.size(); ++i)
            notify(runner_->observer(), event::job_started{record(i).id, entrypoint_of<Job>, record(i).attempt,
                                                           slot().queue, slot().lease.waited(record(i))});
        began_ = access_.now();
        trace_.begin_batch(runner_->observer(), slot().queue, entrypoint_of<Job>, positions.size(),
                           [this](std::size_t i) -> const job_record& { return record(i); });
        running_ = runner_->handler_begins();
        todo_ = {.what = try_do::run};
        return true;
    }

    try_action next() const noexcept { return todo_; }

    /// Runs a handler that is a function.
    void call() noexcept {
        [[maybe_unused]] const auto active = trace_.activate();
        try {
            using call = handler_call<std::remove_reference_t<decltype(access_.handler())>, Job>;
            if constexpr (call::result != handler_result::nothing) ended(start());
            else start(), ended();
        } catch (...) { fail(std::current_exception()); }
    }
    /// Calls the handler. When a coroutine ends, the caller calls `ended` or `threw`. From now on this object must not
    /// move: the contexts refer to its span.
    decltype(auto) start() {
        make_contexts();
        return call_batch_handler<Job>(access_.handler(), std::span<const Job>{jobs_}, *context_);
    }
    template <class... Value>
    void ended(Value&&... value) noexcept {
        try {
            settle(std::forward<Value>(value)...);
        } catch (...) { fail(std::current_exception()); }
    }
    void threw(const std::exception_ptr& e) noexcept { fail(e); }

    // There are no pauses: batches have no decorators.
    static std::array<std::stop_token, 2> stop_tokens() { return {}; }
    static void paused(bool) noexcept {}

    /// Every job that is not settled yet has failed.
    void fail(const std::exception_ptr& e) noexcept {
        const try_result end = failed_with(e);
        settle_all([&](std::size_t i) { return end.failed() ? failed(i, end.what.reason()) : end.what; });
    }

private:
    static constexpr std::uint32_t no_position = static_cast<std::uint32_t>(-1);

    held_lease& slot() const noexcept { return *batch_->slot; }
    const job_record& record(std::size_t i) const noexcept { return slot().lease.jobs[batch_->positions[i]]; }

    void make_contexts() {
        const auto stop = slot().stop.get_token();
        contexts_.reserve(jobs_.size());
        for (std::size_t i = 0; i < jobs_.size(); ++i)
            contexts_.emplace_back(
                record(i), slot().stop_token(batch_->positions[i]), runner_->shared(), 1, steady_time::max(),
                services_for<composition, Job>(runner_->reviser, slot(), batch_->positions[i], trace_.context()));
        context_ =
            std::make_unique<batch_context>(contexts_, stop, runner_->shared(), &slot().stopped_by, trace_.context());
    }

    void settle() noexcept {
        settle_all([](std::size_t) { return outcome{}; });
    }
    void settle(outcomes&& each) noexcept {
        if (each.size() == jobs_.size()) return settle_all([&](std::size_t i) { return std::move(each[i]); });
        const std::string why = "the handler of a batch returned " + std::to_string(each.size()) + " outcomes for " +
                                std::to_string(jobs_.size()) + " jobs";
        settle_all([&](std::size_t i) { return failed(i, why); });
    }
    template <class All>
        requires std::convertible_to<All, outcome>
    void settle(All&& all) {
        const outcome same = std::forward<All>(all);
        settle_all([&](std::size_t) { return same; });
    }

    outcome failed(std::size_t i, const std::string& why) const {
        return retry_after{retry_delay<typename composition::template backoff_of<Job>>(record(i)), why};
    }

    // After the last one the slot may be gone.
    template <class OutcomeOf>
    void settle_all(OutcomeOf outcome_of) {
        todo_ = {};
        running_.end();
        auto& positions = batch_->positions;
        const auto last = std::find_if(positions.rbegin(), positions.rend(), [](auto p) { return p != no_position; });
        for (std::size_t i = 0; i < positions.size(); ++i)
            if (positions[i] != no_position) {
                outcome o = outcome_of(i);
                conclude(std::exchange(positions[i], no_position), std::move(o), &positions[i] == &*last);
            }
    }
    // `last`: of the jobs that the handler got. Then the span ends.
    void conclude(std::uint32_t position, outcome o, bool last = false) noexcept {
        const auto ended = [&](const outcome& end) noexcept { trace_.end_one(end, last); };
        runner_->conclude(slot(), position, entrypoint_of<Job>, began_, std::move(o), ended);
    }

    Access access_;
    runner_type* runner_;
    std::unique_ptr<job_batch> batch_;  // the positions of settled jobs are `no_position`
    std::vector<Job> jobs_{};
    std::vector<context> contexts_{};
    std::unique_ptr<batch_context> context_{};  // elsewhere: a handler keeps its address, and an attempt moves
    [[no_unique_address]] attempt_trace<typename runner_type::observer_type> trace_{};
    steady_time began_{};
    running_handlers::registration running_{};
    try_action todo_{};
};

}  // namespace pgq::detail
