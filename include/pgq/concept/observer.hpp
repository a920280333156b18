#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/event/events.hpp>

namespace pgq {

template <class O, class Event>
concept observes = requires(O& o, const Event& e) {
    o.on(e);
};

/// Takes the event, but only by non-const reference. Events are const, so such an overload is never called.
template <class O, class Event>
concept changes = !observes<O, Event> && requires(O & o, Event& e) {
    o.on(e);
};

namespace detail {

template <class O, class Events>
inline constexpr bool changes_any_of = false;
template <class O, class... Events>
inline constexpr bool changes_any_of<O, type_list<Events...>> = (changes<O, Events> || ...);

template <class O, class Events>
inline constexpr bool observes_any_of = false;
template <class O, class... Events>
inline constexpr bool observes_any_of<O, type_list<Events...>> = (observes<O, Events> || ...);

}  // namespace detail

template <class O>
concept changes_events = detail::changes_any_of<O, event::all>;

/// Handles at least one event. An observer that handles none has a mistake: its `on` is private, or
/// takes something else than an event.
template <class O>
concept observes_something = detail::observes_any_of<O, event::all>;

/// Receives events: it has one overload `on(const event::...&)` for each event that it handles.
///
/// Several threads call it at once, between the steps of a job, so it must be fast and must not throw. Views in an
/// event are valid only during the call. A queue accepts observer::none and any observer that `observes_something`.
/// Test your own with pgq/testing/laws/observer.hpp.
template <class O>
concept observer_policy = policy_of<O, observer_tag>;

/// Passes an event to `o`, if `o` handles it.
template <class O, class Event>
void notify(O& o, const Event& e) noexcept {
    if constexpr (observes<O, Event>) o.on(e);
}

}  // namespace pgq
