#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <type_traits>

// How the checks work: a check is a consteval function that returns the first mistake as a `problem<Message>`, or
// `fine`. Only the caller at the top instantiates a message, and only one: so one mistake is one error, near the top of
// the compiler's output, whatever else the mistake would have broken.
namespace pgq::detail {

struct fine {
    using message = fine;
};

template <class Message>
struct problem {
    using message = Message;
};

template <class P>
inline constexpr bool is_fine = std::is_same_v<P, fine>;

template <bool Holds, class Message>
using unless = std::conditional_t<Holds, fine, problem<Message>>;

template <class... Problems>
struct first_problem {
    using type = fine;
};
template <class First, class... Rest>
struct first_problem<First, Rest...> {
    using type = First;
};
template <class... Rest>
struct first_problem<fine, Rest...> : first_problem<Rest...> {};

template <class... Problems>
using first_problem_t = typename first_problem<Problems...>::type;

}  // namespace pgq::detail
