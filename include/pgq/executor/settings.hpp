#pragma once

#include <pgq/concept/executor.hpp>
#include <pgq/time/static_duration.hpp>

#include <type_traits>

namespace pgq::executor {

/// How often `retrying` calls a handler at most, the first time included.
template <int N>
struct tries {
    static constexpr int value = N;
};

/// How long after the first call began `retrying` may begin another one.
template <static_duration D>
struct budget {
    static constexpr duration value = D.value();
};

/// How long a handler that was told to stop may go on before `timeout` reports it.
template <static_duration D>
struct grace {
    static constexpr duration value = D.value();
};

}  // namespace pgq::executor

// The arguments of decorators, which come in any order. A kind is a template that says whether a type is of it.
namespace pgq::detail {

template <class T>
struct is_tries : std::false_type {};
template <int N>
struct is_tries<executor::tries<N>> : std::true_type {};

template <class T>
struct is_budget : std::false_type {};
template <static_duration D>
struct is_budget<executor::budget<D>> : std::true_type {};

template <class T>
struct is_grace : std::false_type {};
template <static_duration D>
struct is_grace<executor::grace<D>> : std::true_type {};

template <class T>
struct is_executor : std::bool_constant<policy_of<T, executor_tag>> {};
template <class T>
struct is_backoff : std::bool_constant<policy_of<T, backoff_tag>> {};

/// The first of `Args` that is of the kind, else `Default`.
template <template <class> class Kind, class Default, class... Args>
struct pick {
    using type = Default;
};
template <template <class> class Kind, class Default, class First, class... Rest>
struct pick<Kind, Default, First, Rest...>
    : std::conditional_t<Kind<First>::value, std::type_identity<First>, pick<Kind, Default, Rest...>> {};
template <template <class> class Kind, class Default, class... Args>
using pick_t = typename pick<Kind, Default, Args...>::type;

/// The first argument that is of no kind, or the second of one; `void` when there is none such.
template <template <class> class... Kinds>
struct stray_of_kinds {
    template <class First>
    struct like {
        template <class T>
        struct kind : std::bool_constant<((Kinds<First>::value && Kinds<T>::value) || ...)> {};
    };

    template <class... Args>
    struct among {
        using type = void;
    };
    template <class First, class... Rest>
    struct among<First, Rest...> {
        using twin = pick_t<like<First>::template kind, void, Rest...>;
        using type = typename std::conditional_t<
            !(Kinds<First>::value || ...), std::type_identity<First>,
            std::conditional_t<std::is_void_v<twin>, among<Rest...>, std::type_identity<twin>>>::type;
    };
};

/// What stands for a decorator whose arguments do not fit; a queue says so.
template <class Stray>
struct ill_decorator {
    using policy_category = executor_tag;
    using stray = Stray;
};

}  // namespace pgq::detail
