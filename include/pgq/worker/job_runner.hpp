#pragma once

#include <pgq/concept/decorator.hpp>
#include <pgq/concept/executor.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/event/events.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/job/resources.hpp>
#include <pgq/job/services.hpp>
#include <pgq/worker/completion_queue.hpp>
#include <pgq/worker/held_lease.hpp>
#include <pgq/worker/job_batch.hpp>
#include <pgq/worker/worker_options.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::detail {

/// Runs single jobs on the executor's threads, but for what is typed about them: reading the payload and calling the handler,
/// which `job_code` does. So nothing but that is compiled anew for each handler.
template <class Executor, class Observer>
class job_runner {
public:
    using executor_type = Executor;
    using observer_type = Observer;

    /// What is typed about the jobs of one type.
    struct job_functions {
        void (*run)(job_runner&, held_lease&, std::uint32_t) noexcept = nullptr;
        /// Hands a job of this type to the executor; null for those that need nothing but that.
        void (*dispatch)(job_runner&, held_lease&, std::uint32_t) = nullptr;
        bool in_batches = false;
        bool apart = false;  ///< each job is to be in a lease of its own
        bool once = false;   ///< it is acknowledged before it runs
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
        if (may_begin(self, slot, position)) self.functions_[slot.type].run(self, slot, position);
    }
    /// False when the job was taken back or is given back now; then nothing may be done to the slot any more.
    static bool may_begin(job_runner& self, held_lease& slot, std::uint32_t position) noexcept {
        if (!slot.take(position)) {
            slot.stale.fetch_sub(1, std::memory_order_release);  // the last that is done to the slot
            return false;
        }
        if (!self.giving_back.stop_requested() && !slot.stops[position].stop_requested()) return true;
        self.finish(slot, position, {.gone = false, .kind = settle_kind::release});
        return false;
    }

    /// Hands a job to the executor, in the order in which this is called. The worker's own thread.
    void dispatch(held_lease& slot, std::uint32_t position) {
        if (const auto typed = functions_[slot.type].dispatch) typed(*this, slot, position);
        else executor_->execute(task_of(slot, position));
    }
    /// After the last of those that were claimed together: what was gathered goes to the executor, too.
    void dispatched() {
        for (const auto flush : unfinished_) flush(*this);
        unfinished_.clear();
    }
    /// For what gathers jobs.
    void when_dispatched(void (*flush)(job_runner&)) { unfinished_.push_back(flush); }
    std::uint32_t max_batch() const noexcept { return options_.max_batch; }

    const job_functions& functions(std::size_t type) const noexcept { return functions_[type]; }

    task task_of(held_lease& slot, std::uint32_t position) noexcept {
        return {.function = &run_one, .owner = this, .lease = &slot, .position = position, .first = slot.limited};
    }

    /// How many of the jobs in hand take no place of the executor. No more stand in line than may be held in advance.
    std::uint32_t beside() const noexcept {
        return replaced.load() + std::min(in_line.load(), options_.max_prefetch) + batched.beside();
    }
    /// The same while there is a place for a whole batch. Not beside single jobs: more of those than can run would be held.
    std::uint32_t beside_with_batch(std::uint32_t in_hand) const noexcept {
        const bool room = in_hand <= batched.jobs.load() && batched.batches.load() < executor_->width();
        return beside() + (room ? options_.max_batch - 1 : 0);
    }

    /// A handler does not end: from then until `came_back` one more is run at once, by executors that can do that.
    void overran(const event::handler_overran& e) noexcept {
        notify(*observer_, e);
        if constexpr (can_stand_in<Executor>) {
            executor_->stand_in();
            replaced.fetch_add(1);
            wake_();
        }
    }
    void came_back() noexcept {
        if constexpr (can_stand_in<Executor>) {
            executor_->stand_down();
            replaced.fetch_sub(1);
        }
    }

    /// The attempt is over; `began` is when its handler was called, if it was. `aside`: the handler has ended the lease itself.
    void conclude(held_lease& slot, std::uint32_t position, std::string_view entrypoint, steady_time began, outcome o,
                  bool aside = false) noexcept {
        const job_record& r = slot.lease.jobs[position];
        const bool last = !aside && o.what() == outcome::kind::retry && r.attempt >= options_.max_attempts;
        if (last) o = exhaust(r, o);
        if constexpr (observes<Observer, event::job_finished>) {
            const auto took = began == steady_time{} ? duration{} : std::chrono::steady_clock::now() - began;
            observer_->on(event::job_finished{r.id, entrypoint, r.attempt, o.what(), o.reason(), took});
        }
        if (aside) return finish(slot, position, {.aside = true});
        auto what = result_of(std::move(o));
        what.told = (r.flags & flag_tracked) != 0;  // the slot's own flags are the worker's thread's
        what.exhausted = last && what.kind == settle_kind::hold;
        finish(slot, position, std::move(what));
    }

    job_desk* desk = nullptr;  ///< where what is stored of a job in hand is changed
    completion_queue box;
    std::stop_source giving_back{};          ///< what has not started goes back to the queue
    std::atomic<std::uint32_t> replaced{0};  ///< jobs whose handlers do not end and were made up for
    std::atomic<std::uint32_t> in_line{0};   ///< jobs that wait for others of their strand
    batch_counts batched{};

private:
    outcome exhaust(const job_record& r, const outcome& last) const {
        std::string why = "attempt " + std::to_string(r.attempt) + " of " + std::to_string(options_.max_attempts) +
                          " failed: " + last.reason();
        if (options_.on_exhausted == exhausted::hold) return hold{std::move(why)};
        return discard{std::move(why)};
    }

    static job_result result_of(outcome&& o) {
        switch (o.what()) {
        case outcome::kind::retry: return settled(settle_kind::retry, std::move(o));
        case outcome::kind::snooze: return settled(settle_kind::release, std::move(o));
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

    void finish(held_lease& slot, std::uint32_t position, job_result what) noexcept {
        if (box.put(&slot, position, std::move(what))) wake_();
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
