#pragma once

#include <pgq/concept/executor.hpp>
#include <pgq/time/static_duration.hpp>

#include <type_traits>

namespace pgq::executor {

/// The maximum number of calls that `retrying` makes, including the first.
template <int N>
struct tries {
    static constexpr int value = N;
};

/// `retrying` starts no call later than this time after the start of the first call.
template <static_duration D>
struct budget {
    static constexpr duration value = D.value();
};

/// How long a handler may run after its stop token fired before `timeout` reports it.
template <static_duration D>
struct grace {
    static constexpr duration value = D.value();
};

}  // namespace pgq::executor

// Finds the arguments of decorators, which come in any order. A kind is a template that is true for the types of that
// kind.
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

/// The first of `Args` that is of the kind, or `Default` if there is none.
template <template <class> class Kind, class Default, class... Args>
struct pick {
    using type = Default;
};
template <template <class> class Kind, class Default, class First, class... Rest>
struct pick<Kind, Default, First, Rest...>
    : std::conditional_t<Kind<First>::value, std::type_identity<First>, pick<Kind, Default, Rest...>> {};
template <template <class> class Kind, class Default, class... Args>
using pick_t = typename pick<Kind, Default, Args...>::type;

/// The first argument that is of no kind or is the second of a kind; `void` if all arguments are right.
template <template <class> class... Kinds>
struct wrong_argument_of {
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
        using second = pick_t<like<First>::template kind, void, Rest...>;
        using type = typename std::conditional_t<
            !(Kinds<First>::value || ...), std::type_identity<First>,
            std::conditional_t<std::is_void_v<second>, among<Rest...>, std::type_identity<second>>>::type;
    };
};

/// Replaces a decorator with wrong arguments. A queue that gets it does not compile, with a message about `Stray`.
template <class Stray>
struct invalid_decorator {
    using policy_category = executor_tag;
    using wrong_argument = Stray;
};

}  // namespace pgq::detail
