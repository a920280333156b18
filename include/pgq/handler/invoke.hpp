#pragma once

#include <pgq/concept/serializer.hpp>
#include <pgq/context/batch_context.hpp>
#include <pgq/context/context.hpp>
#include <pgq/handler/signature.hpp>
#include <pgq/job/outcome.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace pgq {

/// What the result of a handler means.
enum class handler_result : std::uint8_t {
    nothing,   ///< void: the job is done
    outcome,   ///< pgq::outcome, or one of done, retry_after ...; for a batch it is the outcome of all jobs
    value,     ///< converts to the job's `result`: the job is done
    one_each,  ///< of a batch handler: pgq::outcomes, one for each job
    narrowed,  ///< a number that the job's `result` cannot hold; such a handler does not compile
    unknown,   ///< something else; such a handler does not compile
};

/// Whether `T` is asio::awaitable, recognized by its members: this header does not include Asio, and its own
/// declaration of the template would be ambiguous with later releases, which keep the template in an inline namespace.
template <class T>
concept is_awaitable = requires(const T& t) {
    typename T::value_type;
    typename T::executor_type;
    { t.await_ready() } -> std::convertible_to<bool>;
};

namespace detail {

template <class T>
struct awaited {
    using type = T;
};
template <is_awaitable T>
struct awaited<T> {
    using type = typename T::value_type;
};

template <class T, class Job>
concept result_of_job = requires {
    typename Job::result;
    requires std::convertible_to<T, typename Job::result>;
};

template <class To, class From>
concept holds_all_of = requires(From value) {
    To{value};
};

/// A number that may change when it becomes the job's `result`: what braces refuse.
template <class T, class Job>
concept narrowed_result_of_job = result_of_job<T, Job> && std::is_arithmetic_v<std::remove_cvref_t<T>> &&
    std::is_arithmetic_v<typename Job::result> && !holds_all_of<typename Job::result, T>;

template <class T, class Job>
consteval handler_result result_kind() {
    if constexpr (std::is_void_v<T>) return handler_result::nothing;
    else if constexpr (std::convertible_to<T, outcome>) return handler_result::outcome;
    else if constexpr (narrowed_result_of_job<T, Job>) return handler_result::narrowed;
    else if constexpr (result_of_job<T, Job>) return handler_result::value;
    else return handler_result::unknown;
}

template <class T>
consteval handler_result batch_result_kind() {
    if constexpr (std::is_void_v<T>) return handler_result::nothing;
    else if constexpr (std::convertible_to<T, outcome>) return handler_result::outcome;
    else if constexpr (std::convertible_to<T, outcomes>) return handler_result::one_each;
    else return handler_result::unknown;
}

template <class Handler, class Job, class Transaction, handler_form Form>
struct raw_result : std::invoke_result<Handler&, const Job&> {};
template <class Handler, class Job, class Transaction>
struct raw_result<Handler, Job, Transaction, handler_form::job_and_context>
    : std::invoke_result<Handler&, const Job&, context&> {};
template <class Handler, class Job, class Transaction>
struct raw_result<Handler, Job, Transaction, handler_form::batch> : std::invoke_result<Handler&, std::span<const Job>> {
};
template <class Handler, class Job, class Transaction>
struct raw_result<Handler, Job, Transaction, handler_form::batch_and_context>
    : std::invoke_result<Handler&, std::span<const Job>, batch_context&> {};
template <class Handler, class Job, class Transaction>
struct raw_result<Handler, Job, Transaction, handler_form::transaction>
    : std::invoke_result<Handler&, const Job&, Transaction&> {};
template <class Handler, class Job, class Transaction>
struct raw_result<Handler, Job, Transaction, handler_form::context_and_transaction>
    : std::invoke_result<Handler&, const Job&, context&, Transaction&> {};

}  // namespace detail

/// How a handler that accepts `Job` is called, and what it returns.
template <class Handler, class Job, class Composition = void>
struct handler_call {
private:
    using form = detail::handler_form;
    static constexpr form how = detail::form_of<Handler, Job, Composition>();

public:
    static constexpr bool in_batches = how == form::batch || how == form::batch_and_context;
    static constexpr bool in_transaction = how == form::transaction || how == form::context_and_transaction;
    static constexpr bool with_context =
        how == form::job_and_context || how == form::batch_and_context || how == form::context_and_transaction;
    using raw = typename detail::raw_result<Handler, Job, detail::transaction_of<Composition>, how>::type;
    static constexpr bool is_coroutine = is_awaitable<raw>;
    using returned = typename detail::awaited<raw>::type;  ///< what `co_await` gives, for a coroutine
    static constexpr handler_result result =
        in_batches ? detail::batch_result_kind<returned>() : detail::result_kind<returned, Job>();
};

/// Calls the handler in its form and returns what it returns; for a coroutine that is the awaitable.
template <class Job, class Handler>
decltype(auto) call_handler(Handler& handler, const Job& job, context& ctx) {
    if constexpr (handler_call<Handler, Job>::with_context) return std::invoke(handler, job, ctx);
    else return std::invoke(handler, job);
}
template <class Composition, class Job, class Handler>
decltype(auto) call_handler(Handler& handler, const Job& job, context& ctx, basic_transaction<Composition>& tx) {
    if constexpr (handler_call<Handler, Job, Composition>::with_context) return std::invoke(handler, job, ctx, tx);
    else return std::invoke(handler, job, tx);
}
template <class Job, class Handler>
decltype(auto) call_batch_handler(Handler& handler, std::span<const Job> jobs, batch_context& ctx) {
    if constexpr (handler_call<Handler, Job>::with_context) return std::invoke(handler, jobs, ctx);
    else return std::invoke(handler, jobs);
}

/// The outcome of a value that a handler returned, or that its coroutine gave. A value for the job's `result` means
/// done; if the serializer cannot write it, the job is held.
template <class Job, class Serializer, class Returned>
outcome to_outcome(Returned&& returned) {
    if constexpr (std::convertible_to<Returned, outcome>) return std::forward<Returned>(returned);
    else {
        outcome o{done{}};
        if constexpr (keeps_result<Job, Serializer>) {
            const typename Job::result value(std::forward<Returned>(returned));
            std::string bytes;
            if (auto written = Serializer{}.write(value, bytes); !written)
                return hold{"it is done, but its result cannot be written: " + written.error().text()};
            o.give_result(std::move(bytes));
        }
        return o;
    }
}

/// Runs a handler that is no coroutine. Throws what the handler throws.
template <class Job, class Serializer, class Handler>
    requires(!handler_call<Handler, Job>::is_coroutine)
outcome invoke_handler(Handler& handler, const Job& job, context& ctx) {
    if constexpr (handler_call<Handler, Job>::result != handler_result::nothing) {
        return to_outcome<Job, Serializer>(call_handler(handler, job, ctx));
    } else {
        call_handler(handler, job, ctx);
        return done{};
    }
}

/// The same in a transaction.
template <class Composition, class Job, class Serializer, class Handler>
outcome invoke_handler(Handler& handler, const Job& job, context& ctx, basic_transaction<Composition>& tx) {
    if constexpr (handler_call<Handler, Job, Composition>::result != handler_result::nothing) {
        return to_outcome<Job, Serializer>(call_handler<Composition>(handler, job, ctx, tx));
    } else {
        call_handler<Composition>(handler, job, ctx, tx);
        return done{};
    }
}

}  // namespace pgq
