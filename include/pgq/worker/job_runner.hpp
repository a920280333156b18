#pragma once

#include <pgq/concept/decorator.hpp>
#include <pgq/concept/executor.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/context/job_services.hpp>
#include <pgq/context/resources.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/event/events.hpp>
#include <pgq/health/worker_monitor.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/job/stop_reason.hpp>
#include <pgq/protocol/own_settings.hpp>
#include <pgq/worker/completion_queue.hpp>
#include <pgq/worker/held_lease.hpp>
#include <pgq/worker/job_batch.hpp>
#include <pgq/worker/job_counters.hpp>
#include <pgq/worker/worker_options.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::detail {

/// Runs single jobs on the executor's threads. Reading the payload and calling the handler depend on types: functions
/// of `handler_table` do that, so nothing else is compiled anew for each handler.
template <class Executor, class Observer>
class job_runner {
public:
    using executor_type = Executor;
    using observer_type = Observer;

    /// The functions and properties of one job type.
    struct job_functions {
        void (*run)(job_runner&, held_lease&, std::uint32_t) noexcept = nullptr;
        /// Hands a job of this type to the executor; null for the usual way.
        void (*dispatch)(job_runner&, held_lease&, std::uint32_t) = nullptr;
        bool in_batches = false;
        bool lease_per_job = false;     ///< each job is to be in a lease of its own
        bool once = false;              ///< it is acknowledged before it runs
        std::int16_t max_attempts = 0;  ///< of the settings; 0: those of the worker count

        /// What its leases say. With at-most-once delivery a lease ends before its job starts: no rescue may hold it.
        std::int16_t leased_attempts(std::int16_t of_worker) const noexcept {
            if (once) return unlimited_attempts;
            return pgq::leased_attempts(max_attempts > 0 ? max_attempts : of_worker);
        }
    };

    /// How much of a reason is kept.
    static constexpr std::size_t max_reason = 8192;

    /// `functions` has one entry for each job type of the composition; they know what `code` points to.
    job_runner(const job_functions* functions, void* code, Executor& executor, Observer& observer,
               const worker_options& options, std::function<void()> wake)
        : functions_{functions},
          code_{code},
          executor_{&executor},
          observer_{&observer},
          options_{options},
          wake_{std::move(wake)} {}

    Executor& executor() noexcept { return *executor_; }
    Observer& observer() noexcept { return *observer_; }
    void* code() noexcept { return code_; }
    const resources& shared() const noexcept {
        static const resources nothing;
        return options_.shared ? *options_.shared : nothing;
    }

    /// The function of a `task`.
    static void run_one(void* owner, void* lease, std::uint32_t position) noexcept {
        auto& self = *static_cast<job_runner*>(owner);
        auto& slot = *static_cast<held_lease*>(lease);
        if (try_begin(self, slot, position)) self.functions_[slot.type].run(self, slot, position);
    }
    /// False when the job was taken back or is given back now. The slot must not be touched after that.
    static bool try_begin(job_runner& self, held_lease& slot, std::uint32_t position) noexcept {
        if (!slot.take(position)) {
            slot.drop_task();
            return false;
        }
        const auto now = now_of(*self.executor_);
        const bool goes_back = self.is_stopping(slot, position) || now >= self.leases_end_at.load();
        if (!goes_back && slot.expiry(position) > now) return true;
        if (goes_back) self.report_returned(slot, position);
        self.finish(slot, position,
                    {.gone = !goes_back,
                     .tracked = !goes_back,
                     .kind = goes_back ? settle_kind::release : settle_kind::expire,
                     .reason = goes_back ? "" : "it expired"},
                    now);
        return false;
    }

    /// Hands a job to the executor, in the order in which this is called. The worker's own thread.
    void dispatch(held_lease& slot, std::uint32_t position) {
        if (const auto typed = functions_[slot.type].dispatch) typed(*this, slot, position);
        else executor_->execute(task_of(slot, position));
    }
    /// After the last of the jobs that were claimed together: batches that are not full go to the executor, too.
    void dispatched() {
        for (const auto flush : unfinished_) flush(*this);
        unfinished_.clear();
    }
    /// For functions that form batches.
    void when_dispatched(void (*flush)(job_runner&)) { unfinished_.push_back(flush); }
    std::uint32_t max_batch() const noexcept { return options_.max_batch; }

    const job_functions& functions(std::size_t type) const noexcept { return functions_[type]; }

    task task_of(held_lease& slot, std::uint32_t position) noexcept {
        return {.function = &run_one, .owner = this, .lease = &slot, .position = position, .first = slot.limited};
    }

    /// How many of the jobs in hand take no slot of the executor. Of those that wait for their strand no more count
    /// than may be prefetched.
    std::uint32_t extra_slots() const noexcept {
        return replaced.load() + std::min(in_line.load(), options_.max_prefetch) + batched.extra_slots();
    }
    /// The same, with room for a whole batch if a slot is free. Not while single jobs are in hand: the worker would
    /// hold more of those than can run.
    std::uint32_t extra_slots_with_batch(std::uint32_t in_hand) const noexcept {
        const bool batch_fits = in_hand <= batched.jobs.load() && batched.batches.load() < executor_->width();
        return extra_slots() + (batch_fits ? options_.max_batch - 1 : 0);
    }

    /// A handler does not end: until `handler_ended` an executor that can do that runs one more at once.
    void exceeded_timeout(const event::handler_exceeded_timeout& e) noexcept {
        notify(*observer_, e);
        if constexpr (can_add_spare_thread<Executor>) {
            executor_->add_spare_thread();
            replaced.fetch_add(1);
            wake_();
        }
    }
    /// A handler begins to run; its end follows. Any thread.
    running_handlers::registration handler_begins() noexcept {
        return monitor != nullptr ? monitor->handlers.begin() : running_handlers::registration{};
    }
    void handler_ended() noexcept {
        if constexpr (can_add_spare_thread<Executor>) {
            executor_->remove_spare_thread();
            replaced.fetch_sub(1);
        }
    }

    /// The attempt is over. `began`: when its handler was called, if it was; the time since then is counted.
    /// `ended(outcome)` gets the final outcome, before another thread does. `settled_by_handler`: the handler has ended
    /// the lease itself.
    template <class Ended>
    void conclude(held_lease& slot, std::uint32_t position, std::string_view entrypoint, steady_time began, outcome&& o,
                  const Ended& ended, bool settled_by_handler = false) noexcept {
        const job_record& r = slot.lease.jobs[position];
        bool last = false;
        if (!settled_by_handler && o.what() == outcome::kind::retry) [[unlikely]]
            last = exhaust(slot, r, o);
        ended(o);
        const auto now = now_of(*executor_);
        const bool ran = began != steady_time{};
        if constexpr (observes<Observer, event::job_finished>)
            observer_->on(event::job_finished{r.id, entrypoint, r.attempt, o.what(), o.reason(),
                                              ran ? now - began : duration{}, slot.queue, ran});
        const auto kind = o.what();
        if (settled_by_handler) {
            const bool done =
                kind == outcome::kind::done;  // of a job that is delivered at most once nothing else is left
            return finish(slot, position,
                          {.gone = ran && (done || functions_[slot.type].once),
                           .settled_by_handler = true,
                           .kind = done ? settle_kind::done : settle_kind::discard,
                           .ran = ran ? now - began : duration{-1}},
                          now);
        }
        auto what = result_of(std::move(o));
        if (ran) what.ran = now - began;
        if (kind == outcome::kind::snooze) what.delay = snooze_rest(what.delay);
        if (kind == outcome::kind::release && !is_stopping(slot, position)) what.delay = snooze_rest({});
        what.tracked = (r.flags & flag_tracked) != 0;  // the slot's own flags belong to the worker's thread
        what.exhausted = last && what.kind == settle_kind::hold;
        finish(slot, position, std::move(what), now);
    }

    job_reviser* reviser = nullptr;     ///< changes payloads of jobs in hand
    worker_monitor* monitor = nullptr;  ///< measures how long handlers run; null in tests
    completion_queue completions;
    job_counters counters;                ///< of the worker's lanes
    std::stop_source return_unstarted{};  ///< what has not started goes back to the queue
    /// From then on no job begins: without another heartbeat the leases count as lost. A process that was frozen may
    /// find that out before its heartbeat does.
    std::atomic<steady_time> leases_end_at{steady_time::max()};
    std::atomic<std::uint32_t> replaced{0};  ///< jobs whose handlers do not end: a spare thread runs in place of theirs
    std::atomic<std::uint32_t> in_line{0};   ///< jobs that wait for others of their strand
    batch_counts batched{};

private:
    bool is_stopping(const held_lease& slot, std::uint32_t position) const noexcept {
        return return_unstarted.stop_requested() || slot.stops[position].stop_requested();
    }
    // Not of a cancelled job, nor of a lost lease: their own events tell.
    void report_returned(const held_lease& slot, std::uint32_t position) noexcept {
        const auto why = slot.why_stopped(position);
        if (why == stop_reason::none || why == stop_reason::shutdown)
            notify(*observer_, event::jobs_returned{slot.worker, slot.queue, slot.entrypoint, 1});
    }
    // Whether the attempt was the last one; then `o` becomes the end of the job. The job's own number of attempts goes
    // before that of its type, and that before the worker's.
    bool exhaust(const held_lease& slot, const job_record& r, outcome& o) const {
        const std::int16_t of_type = functions_[slot.type].max_attempts;
        const std::int16_t most = max_attempts_of(r.headers, of_type > 0 ? of_type : options_.max_attempts);
        if (r.attempt < most) return false;
        std::string why =
            "attempt " + std::to_string(r.attempt) + " of " + std::to_string(most) + " failed: " + o.reason();
        if (options_.on_exhausted == exhausted::hold) o = hold{std::move(why)};
        else o = discard{std::move(why)};
        return true;
    }

    static job_result result_of(outcome&& o) {
        switch (o.what()) {
        case outcome::kind::retry: return settled(settle_kind::retry, std::move(o));
        case outcome::kind::snooze:
        case outcome::kind::release: return settled(settle_kind::release, std::move(o));
        case outcome::kind::hold: return settled(settle_kind::hold, std::move(o));
        case outcome::kind::discard: return settled(settle_kind::discard, std::move(o));
        default: return {.result = std::move(o).result()};
        }
    }
    static job_result settled(settle_kind kind, outcome&& o) {
        return {.gone = !keeps_job(kind),
                .kind = kind,
                .delay = o.delay(),
                .reason = make_storable(o.reason(), max_reason)};
    }

    void finish(held_lease& slot, std::uint32_t position, job_result&& what, steady_time now) noexcept {
        if (completions.put(&slot, position, std::move(what), now)) wake_();
    }

    const job_functions* functions_;
    void* code_;
    Executor* executor_;
    Observer* observer_;
    worker_options options_;
    std::function<void()> wake_;
    std::vector<void (*)(job_runner&)> unfinished_{};
};

}  // namespace pgq::detail
