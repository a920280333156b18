#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/event/events.hpp>

namespace pgq {

template <class O, class Event>
concept observes = requires(O& o, const Event& e) { o.on(e); };

/// Is told what happens: one overload `on(const event::...&)` for each event it cares for. Called from several threads at
/// once, on the path of the job: be quick and do not throw.
template <class O>
concept observer_policy = policy_of<O, observer_tag>;

/// Tells `o`, if it cares.
template <class O, class Event>
void notify(O& o, const Event& e) noexcept {
    if constexpr (observes<O, Event>) o.on(e);
}

}  // namespace pgq
