#pragma once

#include <pgq/compose/composition.hpp>
#include <pgq/compose/handler_call.hpp>
#include <pgq/compose/lease_slot.hpp>
#include <pgq/compose/luggage.hpp>
#include <pgq/compose/runner.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/event/events.hpp>
#include <pgq/job/context.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/job/traits.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
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

/// What is typed about running a job: for each job type of a composition a function that reads the payload, calls the handler and
/// makes an outcome of what came of it.
template <class Composition, class Handlers>
class job_code {
public:
    using runner_type = runner<typename Composition::executor, typename Composition::observer>;

private:
    // One attempt: the job and what the handler may know about it.
    template <class Job>
    struct attempt {
        attempt(runner_type& r, lease_slot& s, std::uint32_t p) : runner{&r}, slot{&s}, position{p} {}

        const job_record& record() const noexcept { return slot->lease.jobs[position]; }
        context make_context() const { return runner->make_context(*slot, position); }
        Handlers& handlers() const noexcept { return *static_cast<Handlers*>(runner->handlers()); }

        /// False when the payload cannot be read; the attempt is over then.
        bool begin() {
            const typename Composition::template serializer_of<Job> serializer{};
            if (auto read = read_with(serializer); !read) {
                conclude(hold{"the payload cannot be read: " + read.error().text()});
                return false;
            }
            notify(runner->observer(), event::job_started{record().id, entrypoint_of<Job>, record().attempt});
            if constexpr (observes<typename runner_type::observer_type, event::job_finished>)
                began = std::chrono::steady_clock::now();
            return true;
        }

        template <class Serializer>
        result<void> read_with(const Serializer& serializer) {
            if constexpr (has_versions<Serializer, Job>) return serializer.read(record().body, job, slot->version);
            else return serializer.read(record().body, job);
        }

        // What executor::coroutine calls; the handler's coroutine looks at `job` and `ctx` in here.
        auto start() {
            ctx.emplace(make_context());
            return call_handler(handlers().template handler_for<Job>(), job, *ctx);
        }
        template <class... Value>
        void ended(Value&&... value) noexcept {
            if constexpr (sizeof...(Value) == 0) conclude(done{});
            else conclude(to_outcome<Job>(std::forward<Value>(value)...));
        }
        void threw(const std::exception_ptr& e) noexcept {
            const auto delay = rest_of<typename Composition::template backoff_of<Job>>(record());
            conclude(retry_after{delay, what_of(e)});
        }
        void conclude(outcome o) noexcept {
            runner->conclude(*slot, position, entrypoint_of<Job>, began, std::move(o));
        }

        runner_type* runner;
        lease_slot* slot;
        std::uint32_t position;
        Job job{};
        std::optional<context> ctx{};
        steady_time began{};
    };

    template <class Job>
    static void run(runner_type& runner, lease_slot& slot, std::uint32_t position) noexcept {
        attempt<Job> a{runner, slot, position};
        try {
            if (!a.begin()) return;
            if constexpr (Handlers::template call_of<Job>::is_coroutine) {
                runner.executor().drive(std::move(a));
            } else {
                context ctx = a.make_context();
                a.conclude(a.handlers().template invoke<Job>(a.job, ctx));
            }
        } catch (...) { a.threw(std::current_exception()); }
    }

    template <class... Jobs>
    static constexpr std::array<typename runner_type::run_function, sizeof...(Jobs)> functions_of(type_list<Jobs...>) {
        return {&run<Jobs>...};
    }

public:
    static constexpr auto functions = functions_of(typename Composition::jobs{});
};

}  // namespace pgq::detail
