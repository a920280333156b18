#pragma once

#include <pgq/diagnostic/delivery.hpp>
#include <pgq/diagnostic/executors.hpp>
#include <pgq/diagnostic/handlers.hpp>
#include <pgq/diagnostic/serving.hpp>
#include <pgq/diagnostic/transactions.hpp>
// The messages come first, as in checked.hpp.
#include <pgq/compose/execution_plan.hpp>
#include <pgq/compose/problem.hpp>
#include <pgq/concept/executor.hpp>
#include <pgq/concept/transaction.hpp>
#include <pgq/context/batch_context.hpp>
#include <pgq/context/context.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/handler/invoke.hpp>
#include <pgq/handler/signature.hpp>
#include <pgq/job/members.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/job/traits.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

namespace pgq {

struct enqueue_options;
struct queue_options;
struct worker_options;

namespace detail {

template <class T>
concept looks_like_job = has_entrypoint<T> || adapted<T>;

template <class T>
struct spanned {
    using type = void;
};
template <class T>
struct spanned<std::span<T>> {
    using type = T;
};
template <class T>
using spanned_t = typename spanned<T>::type;

template <class T>
inline constexpr bool is_transaction = false;
template <class Composition>
inline constexpr bool is_transaction<basic_transaction<Composition>> = true;

/// The most likely mistake of a handler that accepts no job at all.
template <class Handler, class Composition>
consteval auto unfit_problem() {
    using jobs = typename Composition::jobs;
    using parameter = job_parameter_t<Handler>;
    using last = last_parameter_t<Handler>;
    using batched = spanned_t<parameter>;
    if constexpr (std::same_as<Handler, worker_options>) return problem<diagnostic::options_behind_handler<Handler>>{};
    else if constexpr (std::same_as<Handler, enqueue_options> || std::same_as<Handler, queue_options>) {
        return problem<diagnostic::foreign_options<Handler>>{};
    } else if constexpr (is_transaction<last_parameter_as_written_t<Handler>>) {
        return problem<diagnostic::transaction_by_value<Handler>>{};
    } else if constexpr (contains_v<batched, jobs>) return problem<diagnostic::mutable_batch<batched, Handler>>{};
    else if constexpr (!std::is_void_v<batched> && std::same_as<last, context>) {
        return problem<diagnostic::context_of_one<Handler>>{};
    } else if constexpr (contains_v<parameter, jobs> && std::same_as<last, batch_context>) {
        return problem<diagnostic::context_of_batch<Handler>>{};
    } else if constexpr (contains_v<parameter, jobs> && is_transaction<last>) {
        return problem<diagnostic::foreign_transaction<last, Handler>>{};
    } else if constexpr (looks_like_job<parameter> && !contains_v<parameter, jobs>) {
        return problem<diagnostic::foreign_handler<parameter, Handler, jobs>>{};
    } else return problem<diagnostic::wrong_signature<Handler, jobs>>{};
}

/// `Jobs`: those that the worker serves.
template <class Handler, class Composition, class Jobs>
consteval auto handler_problem() {
    if constexpr (accepts_any<Handler, Composition>(Jobs{})) return fine{};
    else if constexpr (accepts_any<Handler, Composition>(typename Composition::jobs{})) {
        return problem<diagnostic::handler_of_unserved_job<job_parameter_t<Handler>, Handler, Jobs>>{};
    } else return unfit_problem<Handler, Composition>();
}

// Whether a handler fits the decorators of its executor.
template <class Handler, class Job, class Composition>
consteval auto decorated_problem() {
    using call = handler_call<Handler, Job, Composition>;
    using plan = execution_plan<Composition, Job>;
    if constexpr (call::in_batches) {
        constexpr bool decorated = plan::is_decorated || plan::has_timeout || plan::in_strands || plan::in_process;
        return unless<!decorated, diagnostic::decorated_batch<Job, Handler>>{};
    } else if constexpr (plan::in_process && call::in_transaction) {
        return problem<diagnostic::transaction_in_process<Job, Handler>>{};
    } else if constexpr (plan::in_process && call::is_coroutine) {
        return problem<diagnostic::coroutine_in_process<Job, Handler>>{};
    } else if constexpr (plan::needs_watchdog && !call::with_context && !plan::in_process) {
        return problem<diagnostic::timeout_without_context<Job, Handler>>{};
    } else return fine{};
}

// Whether a handler fits the delivery of its job.
template <class Handler, class Job, class Composition>
consteval auto delivered_problem() {
    using call = handler_call<Handler, Job, Composition>;
    using driver = typename Composition::driver;
    if constexpr (!Composition::template delivery_of<Job>::acknowledges_first) {
        return decorated_problem<Handler, Job, Composition>();
    } else if constexpr (call::in_batches || call::in_transaction || call::is_coroutine) {
        return problem<diagnostic::wrong_handler_at_most_once<Job, Handler>>{};
    } else if constexpr (!can_acknowledge<typename driver::session>) {
        return problem<diagnostic::no_delivery_at_most_once<Job, driver>>{};
    } else return decorated_problem<Handler, Job, Composition>();
}

template <class Handler, class Job, class Composition>
consteval auto answer_problem() {
    using call = handler_call<Handler, Job, Composition>;
    using executor = typename Composition::executor;
    using returned = typename call::returned;
    if constexpr (call::result == handler_result::narrowed) {
        return problem<diagnostic::narrowed_result<Job, returned, Handler>>{};
    } else if constexpr (call::result == handler_result::unknown && call::in_batches) {
        return problem<diagnostic::wrong_batch_result<Job, returned, Handler>>{};
    } else if constexpr (call::result == handler_result::unknown) {
        return problem<diagnostic::wrong_result<Job, returned, Handler>>{};
    } else if constexpr (call::in_transaction && !can_acknowledge<typename Composition::driver::session>) {
        return problem<diagnostic::no_transactions<Job, typename Composition::driver>>{};
    } else if constexpr (call::in_transaction && call::is_coroutine) {
        return problem<diagnostic::coroutine_in_transaction<Job, Handler>>{};
    } else if constexpr (call::is_coroutine && !coroutine_executor<executor>) {
        return problem<diagnostic::no_coroutines<Job, executor>>{};
    } else return delivered_problem<Handler, Job, Composition>();
}

template <class Job, class Composition, class... Handlers>
consteval auto handled_problem() {
    using handlers = type_list<Handlers...>;
    constexpr acceptors found = acceptors_of<Composition, Job, Handlers...>();
    if constexpr (found.count == 0) return problem<diagnostic::no_handler<Job>>{};
    else if constexpr (found.count > 1) {
        return problem<diagnostic::two_handlers<Job, at_t<found.first, handlers>, at_t<found.second, handlers>>>{};
    } else return answer_problem<at_t<found.first, handlers>, Job, Composition>();
}

template <class Composition, class... Handlers, class... Jobs>
consteval auto all_handled_problem(type_list<Jobs...>) {
    return first_problem_t<decltype(handled_problem<Jobs, Composition, Handlers...>())...>{};
}

/// The first thing that is wrong with the handlers of a worker: each handler alone, then job by job.
template <class Composition, class Jobs, class... Handlers>
consteval auto handlers_problem() {
    using single = first_problem_t<decltype(handler_problem<Handlers, Composition, Jobs>())...>;
    if constexpr (!is_fine<single>) return single{};
    else return all_handled_problem<Composition, Handlers...>(Jobs{});
}

template <class Composition, class Jobs, class... Handlers>
struct handlers_check {
    using type = decltype(handlers_problem<Composition, Jobs, Handlers...>());
};
template <class Composition, class Jobs, class... Handlers>
    requires(!Composition::valid)
struct handlers_check<Composition, Jobs, Handlers...> {
    using type = fine;  // the queue already has a message
};

}  // namespace detail

/// The handlers of a worker that serves `Jobs` of a composition. Exactly one of them accepts each of these jobs, and
/// each accepts at least one. A handler of another job, a job without a handler or with two, and a result that means
/// nothing are one compile error each. A generic handler accepts every job that it can be called with; constrain it
/// where another handler is for the job.
///
/// Handlers run on the executor's threads, several at once, on the one object of each in here.
template <class Composition, class Jobs, class... Handlers>
class basic_handler_set {
    using check = typename detail::handlers_check<Composition, Jobs, Handlers...>::type;
    static_assert(sizeof(typename check::message) != 0);

public:
    using jobs = Jobs;

    /// False if the handlers or the queue do not compile; then nothing below may be used.
    static constexpr bool valid = Composition::valid && detail::is_fine<check>;

    template <class Job>
    using call_of = handler_call<
        std::tuple_element_t<detail::handler_position<Composition, Job, Handlers...>, std::tuple<Handlers...>>, Job,
        Composition>;

    static constexpr bool any_coroutine = []<class... Served>(detail::type_list<Served...>) {
        if constexpr (valid) return (call_of<Served>::is_coroutine || ...);
        else return false;
    }(Jobs{});

    explicit basic_handler_set(Handlers... handlers) : handlers_{std::move(handlers)...} {}

    template <class Job>
    auto& handler_for() noexcept {
        return std::get<detail::handler_position<Composition, Job, Handlers...>>(handlers_);
    }

    /// Runs the job's handler, which must be no coroutine. Throws what the handler throws.
    template <class Job>
    outcome invoke(const Job& job, context& ctx) {
        return invoke_handler<Job, typename Composition::template serializer_of<Job>>(handler_for<Job>(), job, ctx);
    }

private:
    std::tuple<Handlers...> handlers_;
};

/// The handlers of a worker that serves all jobs of a composition.
template <class Composition, class... Handlers>
using handler_set = basic_handler_set<Composition, typename Composition::jobs, Handlers...>;

}  // namespace pgq
