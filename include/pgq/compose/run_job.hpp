#pragma once

#include <pgq/compose/handler_call.hpp>
#include <pgq/compose/lease_slot.hpp>
#include <pgq/compose/outbox.hpp>
#include <pgq/compose/worker_options.hpp>
#include <pgq/concept/executor.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/event/events.hpp>
#include <pgq/job/context.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/job/traits.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
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

/// Runs single jobs on the executor's threads: reads the payload, calls the handler, turns what came of it into a verdict and
/// puts that into the outbox.
template <class Composition, class Handlers>
class job_runner {
public:
    using executor_type = typename Composition::executor;
    using observer_type = typename Composition::observer;

    /// How much of a reason is kept.
    static constexpr std::size_t max_reason = 8192;

    job_runner(Handlers& handlers, executor_type& executor, observer_type& observer, const worker_options& options,
               std::function<void()> wake)
        : handlers_{&handlers}, executor_{&executor}, observer_{&observer}, options_{options}, wake_{std::move(wake)} {}

    executor_type& executor() noexcept { return *executor_; }
    observer_type& observer() noexcept { return *observer_; }

    /// The function of a `task`.
    static void run_one(void* owner, void* lease, std::uint32_t position) noexcept {
        auto& self = *static_cast<job_runner*>(owner);
        auto& slot = *static_cast<lease_slot*>(lease);
        if (!slot.take(position)) {
            slot.stale.fetch_sub(1, std::memory_order_release);  // the last that is done to the slot
            return;
        }
        if (self.giving_back.load(std::memory_order_relaxed) || slot.stop.stop_requested())
            return self.finish(slot, position,
                               {.gone = false, .kind = settle_kind::release, .delay = {}, .reason = {}});
        table[slot.type](self, slot, position);
    }

    outbox box;
    std::atomic<bool> giving_back{false};  ///< what has not started goes back to the queue

private:
    using run_function = void (*)(job_runner&, lease_slot&, std::uint32_t) noexcept;

    template <class... Jobs>
    static constexpr std::array<run_function, sizeof...(Jobs)> table_of(type_list<Jobs...>) {
        return {&run_typed<Jobs>...};
    }

    // One attempt: the job and what the handler may know about it.
    template <class Job>
    struct attempt {
        attempt(job_runner& r, lease_slot& s, std::uint32_t p) : runner{&r}, slot{&s}, position{p} {}

        const job_record& record() const noexcept { return slot->lease.jobs[position]; }
        context make_context() const {
            static const resources nothing;
            return {record(), slot->stop.get_token(), runner->options_.shared ? *runner->options_.shared : nothing};
        }
        /// False when the payload cannot be read; the attempt is over then.
        bool begin() {
            const typename Composition::template serializer_of<Job> serializer{};
            if (auto read = serializer.read(record().body, job); !read) {
                runner->template conclude<Job>(*this, hold{"the payload cannot be read: " + read.error().text()});
                return false;
            }
            notify(*runner->observer_, event::job_started{record().id, entrypoint_of<Job>, record().attempt});
            if constexpr (observes<observer_type, event::job_finished>) began = std::chrono::steady_clock::now();
            return true;
        }

        // What executor::coroutine calls; the handler's coroutine looks at `job` and `ctx` in here.
        auto start() {
            ctx.emplace(make_context());
            return call_handler(runner->handlers_->template handler_for<Job>(), job, *ctx);
        }
        template <class... Value>
        void ended(Value&&... value) noexcept {
            if constexpr (sizeof...(Value) == 0) runner->template conclude<Job>(*this, done{});
            else runner->template conclude<Job>(*this, to_outcome<Job>(std::forward<Value>(value)...));
        }
        void threw(const std::exception_ptr& e) noexcept { runner->template failed<Job>(*this, what_of(e)); }

        job_runner* runner;
        lease_slot* slot;
        std::uint32_t position;
        Job job{};
        std::optional<context> ctx{};
        steady_time began{};
    };

    template <class Job>
    static void run_typed(job_runner& self, lease_slot& slot, std::uint32_t position) noexcept {
        attempt<Job> a{self, slot, position};
        try {
            if (!a.begin()) return;
            if constexpr (Handlers::template call_of<Job>::is_coroutine) {
                self.executor_->drive(std::move(a));
            } else {
                context ctx = a.make_context();
                self.conclude<Job>(a, self.handlers_->template invoke<Job>(a.job, ctx));
            }
        } catch (...) { self.failed<Job>(a, what_of(std::current_exception())); }
    }

    template <class Job>
    void failed(const attempt<Job>& a, std::string what) noexcept {
        const auto delay = typename Composition::template backoff_of<Job>{}.delay(a.record().attempt);
        conclude<Job>(a, retry_after{delay, std::move(what)});
    }

    template <class Job>
    void conclude(const attempt<Job>& a, outcome o) noexcept {
        const job_record& r = a.record();
        if (o.what() == outcome::kind::retry && r.attempt >= options_.max_attempts) {
            std::string why = "attempt " + std::to_string(r.attempt) + " of " + std::to_string(options_.max_attempts) +
                              " failed: " + o.reason();
            if (options_.on_exhausted == exhausted::hold) o = hold{std::move(why)};
            else o = discard{std::move(why)};
        }
        if constexpr (observes<observer_type, event::job_finished>) {
            const auto took = a.began == steady_time{} ? duration{} : std::chrono::steady_clock::now() - a.began;
            observer_->on(event::job_finished{r.id, entrypoint_of<Job>, r.attempt, o.what(), o.reason(), took});
        }
        finish(*a.slot, a.position, verdict_of(std::move(o)));
    }

    static verdict verdict_of(outcome&& o) {
        switch (o.what()) {
        case outcome::kind::retry: return settled(settle_kind::retry, std::move(o));
        case outcome::kind::snooze: return settled(settle_kind::release, std::move(o));
        case outcome::kind::hold: return settled(settle_kind::hold, std::move(o));
        default: return {};
        }
    }
    static verdict settled(settle_kind kind, outcome&& o) {
        return {.gone = false, .kind = kind, .delay = o.delay(), .reason = make_storable(o.reason(), max_reason)};
    }

    void finish(lease_slot& slot, std::uint32_t position, verdict what) noexcept {
        if (box.put(&slot, position, std::move(what))) wake_();
    }

    static constexpr auto table = table_of(typename Composition::jobs{});

    Handlers* handlers_;
    executor_type* executor_;
    observer_type* observer_;
    worker_options options_;
    std::function<void()> wake_;
};

}  // namespace pgq::detail
