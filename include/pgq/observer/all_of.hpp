#pragma once

#include <pgq/concept/observer.hpp>
#include <pgq/detail/type_list.hpp>

#include <cstddef>
#include <tuple>
#include <utility>

namespace pgq::observer {

/// Several observers as one: `all_of{observer::counters{}, my_observer{}}`. Each part gets the events that it handles,
/// in the order of the parts. A part without data needs no memory, and an event that no part handles costs nothing.
template <class... Observers>
class all_of {
public:
    using policy_category = observer_tag;
    using observers = pgq::detail::type_list<Observers...>;

    all_of() = default;
    explicit all_of(Observers... parts) requires(sizeof...(Observers) > 0) : parts_{std::move(parts)...} {}

    template <class Event>
        requires(observes<Observers, Event> || ...)
    void on(const Event& e) noexcept {
        std::apply([&](auto&... part) { (notify(part, e), ...); }, parts_);
    }

    /// The part of this type. The overload below takes its position, from 0.
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
