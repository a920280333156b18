#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/event/events.hpp>

namespace pgq {

template <class O, class Event>
concept observes = requires(O& o, const Event& e) { o.on(e); };

namespace detail {

template <class O, class Events>
inline constexpr bool observes_any_of = false;
template <class O, class... Events>
inline constexpr bool observes_any_of<O, type_list<Events...>> = (observes<O, Events> || ...);

}  // namespace detail

/// Cares for at least one event. One that does not has a mistake: an `on` that is private, or that takes its event as a
/// reference to what is not const.
template <class O>
concept observes_something = detail::observes_any_of<O, event::all>;

/// Is told what happens: one overload `on(const event::...&)` for each event it cares for. Called from several threads at
/// once, on the path of the job: be quick and do not throw. Views in an event are valid during the call. A queue takes
/// only an observer that `observes_something`, or observer::none. The laws are in pgq/testing/laws/observer.hpp.
template <class O>
concept observer_policy = policy_of<O, observer_tag>;

/// Tells `o`, if it cares.
template <class O, class Event>
void notify(O& o, const Event& e) noexcept {
    if constexpr (observes<O, Event>) o.on(e);
}

}  // namespace pgq
