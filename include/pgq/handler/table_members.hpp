#pragma once

#include <pgq/compose/execution_plan.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/handler/strands.hpp>

#include <tuple>
#include <utility>

// What a table of handlers has only if one of its jobs needs it.
namespace pgq::detail {

/// Takes no room; a type of its own for each `Of`.
template <template <class...> class Of>
struct absent {};

template <bool Wanted, template <class...> class Of, class... Args>
struct member_if {
    using type = absent<Of>;
};
template <template <class...> class Of, class... Args>
struct member_if<true, Of, Args...> {
    using type = Of<Args...>;
};

/// `Of<Args...>` if it is wanted, else nothing; it is not instantiated then.
template <bool Wanted, template <class...> class Of, class... Args>
using member_if_t = typename member_if<Wanted, Of, Args...>::type;

template <class Plan, class Job, class Owner>
struct strands_if {
    struct type {};
};
template <class Plan, class Job, class Owner>
    requires(Plan::in_strands)
struct strands_if<Plan, Job, Owner> {
    using type = strands<decltype(Plan::key(std::declval<const Job&>())), Owner>;
};

template <class Composition, class Owner, class Jobs>
struct all_strands;
template <class Composition, class Owner, class... Jobs>
struct all_strands<Composition, Owner, type_list<Jobs...>> {
    using type = std::tuple<typename strands_if<execution_plan<Composition, Jobs>, Jobs, Owner>::type...>;
};

/// The strands of each job type, in the order of the jobs; nothing for a type without.
template <class Composition, class Owner>
using all_strands_t = typename all_strands<Composition, Owner, typename Composition::jobs>::type;

}  // namespace pgq::detail
