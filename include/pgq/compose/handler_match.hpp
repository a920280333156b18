#pragma once

#include <pgq/detail/type_list.hpp>
#include <pgq/job/context.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

// Which job a handler is for. Being callable is not enough: a handler that takes `const A&` is callable with every job that
// converts to A. So the first parameter has to be the job itself.
namespace pgq::detail {

// Declared only: overload resolution takes a function apart. These read functions, and function objects with one call operator
// that is no template, std::function among them.
template <class R, class First, class... Rest>
std::type_identity<First> first_parameter(R (*)(First, Rest...));
template <class R, class C, class First, class... Rest>
std::type_identity<First> first_parameter(R (C::*)(First, Rest...));
template <class R, class C, class First, class... Rest>
std::type_identity<First> first_parameter(R (C::*)(First, Rest...) const);
template <class R, class C, class First, class... Rest>
std::type_identity<First> first_parameter(R (C::*)(First, Rest...) &);
template <class R, class C, class First, class... Rest>
std::type_identity<First> first_parameter(R (C::*)(First, Rest...) const&);

template <class Handler>
struct job_parameter {
    using type = void;  // generic or overloaded, or nothing that can be called with arguments
};
template <class Handler>
    requires requires(Handler h) { first_parameter(h); }
struct job_parameter<Handler> {
    using type = std::remove_cvref_t<typename decltype(first_parameter(std::declval<Handler>()))::type>;
};
template <class Handler>
    requires requires { first_parameter(&Handler::operator()); }
struct job_parameter<Handler> {
    using type = std::remove_cvref_t<typename decltype(first_parameter(&Handler::operator()))::type>;
};

template <class Handler>
using job_parameter_t = typename job_parameter<Handler>::type;

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

template <class H, class Job>
concept overloads_job = takes_job<H, Job> && names_job<H, std::invoke_result_t<H&, const Job&>, Job>;

template <class H, class Job>
concept overloads_context =
    takes_context<H, Job> && names_job_and_context<H, std::invoke_result_t<H&, const Job&, context&>, Job>;

enum class handler_form : std::uint8_t { none, job, job_and_context };

/// How `Handler` is called with `Job`; `none` when it is no handler for it. With a context where both would do.
template <class Handler, class Job>
consteval handler_form form_of() {
    using parameter = job_parameter_t<Handler>;
    if constexpr (!std::is_void_v<parameter>) {
        if constexpr (!std::is_same_v<parameter, Job>) return handler_form::none;
        else if constexpr (takes_context<Handler, Job>) return handler_form::job_and_context;
        else return takes_job<Handler, Job> ? handler_form::job : handler_form::none;
    } else if constexpr (overloads_context<Handler, Job>) {
        return handler_form::job_and_context;
    } else if constexpr (overloads_job<Handler, Job>) {
        return handler_form::job;
    } else {
        return handler_form::none;
    }
}

template <class Handler, class Job>
inline constexpr bool accepts = form_of<Handler, Job>() != handler_form::none;

template <class Handler, class... Jobs>
consteval bool accepts_any(type_list<Jobs...>) {
    return (accepts<Handler, Jobs> || ...);
}

/// How many handlers accept a job, and where the first two of them are.
struct acceptors {
    std::size_t count = 0;
    std::size_t first = 0;
    std::size_t second = 0;
};

template <class Job, class... Handlers>
consteval acceptors acceptors_of() {
    acceptors found;
    std::size_t i = 0;
    const auto look = [&](bool accepted) {
        if (accepted && found.count++ == 0) found.first = i;
        else if (accepted && found.count == 2) found.second = i;
        ++i;
    };
    (look(accepts<Handlers, Job>), ...);
    return found;
}

template <class Job, class... Handlers>
inline constexpr std::size_t handler_position = acceptors_of<Job, Handlers...>().first;

}  // namespace pgq::detail
