#pragma once

#include <pgq/concept/driver.hpp>

#include <type_traits>

// Compile-time messages about schedulers; see diagnostic/calls.hpp.
namespace pgq::diagnostic {

template <class Driver>
struct cannot_schedule {
    static_assert(worker_session<typename Driver::session> && can_schedule<typename Driver::session>,
                  "pgq: this driver cannot run schedules. Use another driver, or give its session the members of "
                  "pgq::worker_session and pgq::can_schedule.");
};

namespace detail {

template <class Driver>
inline constexpr bool schedules = false;
template <worker_driver Driver>
inline constexpr bool schedules<Driver> = can_schedule<typename Driver::session>;

}  // namespace detail

/// True if a scheduler can use sessions of the driver; otherwise a compile error with a message. A queue with a mistake
/// may have no driver: then this adds no message.
template <class Driver>
struct require_schedules : std::bool_constant<detail::schedules<Driver>> {
    using check = std::conditional_t<detail::schedules<Driver> || !driver_policy<Driver>, std::true_type,
                                     cannot_schedule<Driver>>;
    static_assert(sizeof(check) != 0);
};

}  // namespace pgq::diagnostic
