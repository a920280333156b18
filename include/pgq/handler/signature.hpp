#pragma once

#include <pgq/context/batch_context.hpp>
#include <pgq/context/context.hpp>
#include <pgq/detail/type_list.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

namespace pgq {

template <class Composition>
class basic_transaction;

namespace detail {

struct no_transaction;
template <class Composition>
using transaction_of = std::conditional_t<std::is_void_v<Composition>, no_transaction, basic_transaction<Composition>>;

}  // namespace detail
}  // namespace pgq

// Which jobs a handler accepts, and how it is called. That a call compiles is not enough: a handler that takes `const
// A&` can be called with every job that converts to A. So the first parameter has to be the job itself.
namespace pgq::detail {

// Never defined: overload resolution finds the parameters. They read functions, and function objects with one call
// operator that is no template, such as std::function.
template <class R, class First, class... Rest>
type_list<First, Rest...> parameters_of(R (*)(First, Rest...));
template <class R, class C, class First, class... Rest>
type_list<First, Rest...> parameters_of(R (C::*)(First, Rest...));
template <class R, class C, class First, class... Rest>
type_list<First, Rest...> parameters_of(R (C::*)(First, Rest...) const);
template <class R, class C, class First, class... Rest>
type_list<First, Rest...> parameters_of(R (C::*)(First, Rest...) &);
template <class R, class C, class First, class... Rest>
type_list<First, Rest...> parameters_of(R (C::*)(First, Rest...) const&);

/// Empty for a generic or overloaded handler, and for a type that cannot be called with arguments.
template <class Handler>
struct parameters {
    using type = type_list<>;
};
template <class Handler>
    requires requires(Handler h) { parameters_of(h); }
struct parameters<Handler> {
    using type = decltype(parameters_of(std::declval<Handler>()));
};
template <class Handler>
    requires requires { parameters_of(&Handler::operator()); }
struct parameters<Handler> {
    using type = decltype(parameters_of(&Handler::operator()));
};

template <class List>
struct first_and_last {
    using first = void;
    using last = void;
};
template <class Only>
struct first_and_last<type_list<Only>> {
    using first = std::remove_cvref_t<Only>;
    using last = Only;
};
template <class First, class... Rest>
struct first_and_last<type_list<First, Rest...>> {
    using first = std::remove_cvref_t<First>;
    using last = typename first_and_last<type_list<Rest...>>::last;
};

template <class Handler>
using job_parameter_t = typename first_and_last<typename parameters<Handler>::type>::first;
template <class Handler>
using last_parameter_as_written_t = typename first_and_last<typename parameters<Handler>::type>::last;
template <class Handler>
using last_parameter_t = std::remove_cvref_t<last_parameter_as_written_t<Handler>>;

// A generic or overloaded call operator is asked for the overload of that very signature: the address of an overloaded
// function allows no conversion of its parameters.
template <class H, class R, class... Params>
concept has_const_overload = requires {
    static_cast<R (H::*)(Params...) const>(&H::operator());
};

template <class H, class R, class... Params>
concept has_mutable_overload = requires {
    static_cast<R (H::*)(Params...)>(&H::operator());
};

template <class H, class R, class... Params>
concept has_overload = has_const_overload<H, R, Params...> || has_mutable_overload<H, R, Params...>;

template <class H, class R, class Job, class... Context>
concept names_job = has_overload<H, R, const Job&, Context...> || has_overload<H, R, Job, Context...>;

template <class H, class R, class Job>
concept names_job_and_context =
    names_job<H, R, Job, context&> || names_job<H, R, Job, const context&> || names_job<H, R, Job, context>;

template <class Handler, class Job>
concept takes_job = std::invocable<Handler&, const Job&>;

template <class Handler, class Job>
concept takes_context = std::invocable<Handler&, const Job&, context&>;

template <class Handler, class Job>
concept takes_batch = std::invocable<Handler&, std::span<const Job>>;

template <class Handler, class Job>
concept takes_batch_context = std::invocable<Handler&, std::span<const Job>, batch_context&>;

template <class Handler, class Job, class Transaction>
concept takes_transaction = std::invocable<Handler&, const Job&, Transaction&>;

template <class Handler, class Job, class Transaction>
concept takes_both = std::invocable<Handler&, const Job&, context&, Transaction&>;

template <class H, class Job>
concept overloads_job = takes_job<H, Job> && names_job<H, std::invoke_result_t<H&, const Job&>, Job>;

template <class H, class Job>
concept overloads_context =
    takes_context<H, Job> && names_job_and_context<H, std::invoke_result_t<H&, const Job&, context&>, Job>;

template <class H, class Job>
concept overloads_batch =
    takes_batch<H, Job> && has_overload<H, std::invoke_result_t<H&, std::span<const Job>>, std::span<const Job>>;

template <class H, class R, class Job>
concept names_batch_and_context = has_overload<H, R, std::span<const Job>, batch_context&> ||
                                  has_overload<H, R, std::span<const Job>, const batch_context&>;

template <class H, class Job>
concept overloads_batch_context = takes_batch_context<H, Job> &&
    names_batch_and_context<H, std::invoke_result_t<H&, std::span<const Job>, batch_context&>, Job>;

template <class H, class Job, class Transaction>
concept overloads_transaction = takes_transaction<H, Job, Transaction> &&
    names_job<H, std::invoke_result_t<H&, const Job&, Transaction&>, Job, Transaction&>;

template <class H, class Job, class Transaction>
concept overloads_both = takes_both<H, Job, Transaction> &&
    names_job<H, std::invoke_result_t<H&, const Job&, context&, Transaction&>, Job, context&, Transaction&>;

// A function object that passes on whatever it gets, such as that of std::bind_front, has no overload for the job. The
// function behind it must take the job itself, and not what the job converts to: this converts to the job, and a second
// conversion is not allowed.
template <class T>
struct only_as {
    operator const T&() const;
};

// A generic handler takes anything, so it would take a span, too. It has an overload for the job, or is not for it.
struct unrelated {};
template <class H, class... Rest>
concept is_generic = std::invocable<H&, unrelated, Rest...>;

template <class H, class Job>
concept passes_job = takes_job<H, Job> && !is_generic<H> && std::invocable<H&, only_as<Job>>;

template <class H, class Job>
concept passes_context =
    takes_context<H, Job> && !is_generic<H, context&> && std::invocable<H&, only_as<Job>, context&>;

template <class H, class Job>
concept passes_batch = takes_batch<H, Job> && !is_generic<H> && std::invocable<H&, only_as<std::span<const Job>>>;

template <class H, class Job>
concept passes_batch_context = takes_batch_context<H, Job> && !is_generic<H, batch_context&> &&
                               std::invocable<H&, only_as<std::span<const Job>>, batch_context&>;

template <class H, class Job, class Transaction>
concept passes_transaction = takes_transaction<H, Job, Transaction> && !is_generic<H, Transaction&> &&
                             std::invocable<H&, only_as<Job>, Transaction&>;

template <class H, class Job, class Transaction>
concept passes_both = takes_both<H, Job, Transaction> && !is_generic<H, context&, Transaction&> &&
                      std::invocable<H&, only_as<Job>, context&, Transaction&>;

enum class handler_form : std::uint8_t {
    none,
    job,
    job_and_context,
    batch,
    batch_and_context,
    transaction,
    context_and_transaction,
};

/// The form of a handler with one call operator that is no template.
template <class Handler, class Job, class Transaction>
consteval handler_form form_of_plain() {
    using parameter = job_parameter_t<Handler>;
    if constexpr (std::is_same_v<parameter, std::span<const Job>>) {
        if constexpr (takes_batch_context<Handler, Job>) return handler_form::batch_and_context;
        else return takes_batch<Handler, Job> ? handler_form::batch : handler_form::none;
    } else if constexpr (!std::is_same_v<parameter, Job>) return handler_form::none;
    else if constexpr (takes_context<Handler, Job>) return handler_form::job_and_context;
    else if constexpr (takes_job<Handler, Job>) return handler_form::job;
    else if constexpr (takes_transaction<Handler, Job, Transaction>) return handler_form::transaction;
    else return takes_both<Handler, Job, Transaction> ? handler_form::context_and_transaction : handler_form::none;
}

/// How `Handler` is called with `Job`; `none` if it does not accept the job. If several forms compile, one for a single
/// job goes before one for a batch or with a transaction, and there a form with a context goes first: so a generic
/// handler is one for single jobs.
template <class Handler, class Job, class Composition = void>
consteval handler_form form_of() {
    using transaction = transaction_of<Composition>;
    if constexpr (!std::is_void_v<job_parameter_t<Handler>>) return form_of_plain<Handler, Job, transaction>();
    else if constexpr (overloads_context<Handler, Job>) return handler_form::job_and_context;
    else if constexpr (overloads_job<Handler, Job>) return handler_form::job;
    else if constexpr (overloads_batch_context<Handler, Job>) return handler_form::batch_and_context;
    else if constexpr (overloads_batch<Handler, Job>) return handler_form::batch;
    else if constexpr (overloads_transaction<Handler, Job, transaction>) return handler_form::transaction;
    else if constexpr (overloads_both<Handler, Job, transaction>) return handler_form::context_and_transaction;
    else if constexpr (passes_context<Handler, Job>) return handler_form::job_and_context;
    else if constexpr (passes_job<Handler, Job>) return handler_form::job;
    else if constexpr (passes_batch_context<Handler, Job>) return handler_form::batch_and_context;
    else if constexpr (passes_batch<Handler, Job>) return handler_form::batch;
    else if constexpr (passes_transaction<Handler, Job, transaction>) return handler_form::transaction;
    else if constexpr (passes_both<Handler, Job, transaction>) return handler_form::context_and_transaction;
    else return handler_form::none;
}

template <class Handler, class Job, class Composition = void>
inline constexpr bool accepts = form_of<Handler, Job, Composition>() != handler_form::none;

template <class Handler, class Composition, class... Jobs>
consteval bool accepts_any(type_list<Jobs...>) {
    return (accepts<Handler, Jobs, Composition> || ...);
}

/// How many handlers accept a job, and the positions of the first two.
struct acceptors {
    std::size_t count = 0;
    std::size_t first = 0;
    std::size_t second = 0;
};

template <class Composition, class Job, class... Handlers>
consteval acceptors acceptors_of() {
    acceptors found;
    std::size_t i = 0;
    const auto look = [&](bool accepted) {
        if (accepted && found.count++ == 0) found.first = i;
        else if (accepted && found.count == 2) found.second = i;
        ++i;
    };
    (look(accepts<Handlers, Job, Composition>), ...);
    return found;
}

template <class Composition, class Job, class... Handlers>
inline constexpr std::size_t handler_position = acceptors_of<Composition, Job, Handlers...>().first;

}  // namespace pgq::detail
