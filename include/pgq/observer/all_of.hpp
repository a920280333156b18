#pragma once

#include <pgq/concept/observer.hpp>

#include <cstddef>
#include <tuple>
#include <utility>

namespace pgq::observer {

/// Several observers as one: each is told what it cares for, in the order in which they are written.
///
/// `all_of{observer::counters{}, my_observer{}}`. Members without data take no room, and an event none cares for costs nothing.
template <class... Observers>
class all_of {
public:
    using policy_category = observer_tag;

    all_of() = default;
    explicit all_of(Observers... parts) requires(sizeof...(Observers) > 0) : parts_{std::move(parts)...} {}

    template <class Event>
        requires(observes<Observers, Event> || ...)
    void on(const Event& e) noexcept {
        std::apply([&](auto&... part) { (notify(part, e), ...); }, parts_);
    }

    /// The part of this type, or at this position.
    template <class Observer>
    Observer& get() noexcept {
        return std::get<Observer>(parts_);
    }
    template <std::size_t I>
    auto& get() noexcept {
        return std::get<I>(parts_);
    }

private:
    [[no_unique_address]] std::tuple<Observers...> parts_;
};

static_assert(observer_policy<all_of<>> && !observes_something<all_of<>>);

}  // namespace pgq::observer
