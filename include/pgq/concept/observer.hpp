#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/event/events.hpp>

#include <type_traits>

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

template <class T, class Events>
inline constexpr bool is_one_of = false;
template <class T, class... Events>
inline constexpr bool is_one_of<T, type_list<Events...>> = (std::is_same_v<T, Events> || ...);

// Nobody can ask for an overload that is private: that it is not accessible looks as if it were not there. But overload
// resolution comes before access. So an argument that converts to an observed event and to something else is ambiguous
// if there is an overload for that, too.
template <class Event>
struct only {
    operator const Event&() const;
};
template <class Event, class Other>
struct either {
    operator const Event&() const;
    operator const Other&() const;
    operator Other() const;  // for Other&&
};
template <class Event, class Events>
struct or_no_event {
    operator const Event&() const;
    template <class T>
        requires(!is_one_of<T, Events>)
    operator T() const;
};
template <class O, class Argument>
concept takes = requires(O& o, const Argument& a) {
    o.on(a);
};

// Beside the overload for `Event`, which is not a generic one.
template <class O, class Event, class Other>
consteval bool hides() {
    if constexpr (observes<O, Other>) return false;
    else return !takes<O, either<Event, Other>>;
}
template <class O, class Event, class... Events>
consteval bool hides_beside(type_list<Events...> all) {
    if constexpr (!observes<O, Event>) return false;
    else if constexpr (!takes<O, only<Event>>) return false;
    else return !takes<O, or_no_event<Event, decltype(all)>> || (hides<O, Event, Events>() || ...);
}

template <class O, class Events>
inline constexpr bool hides_any_of = false;
// A generic overload may take all events. Then what else it takes says nothing.
template <class O, class... Events>
    requires(!(observes<O, Events> && ...))
inline constexpr bool hides_any_of<O, type_list<Events...>> = (hides_beside<O, Events>(type_list<Events...>{}) || ...);

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

/// Handles some events, and has another overload `on` that is never called: it is private, or takes no event.
template <class O>
concept hides_overload = detail::hides_any_of<O, event::all>;

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
