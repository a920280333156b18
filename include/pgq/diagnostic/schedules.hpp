#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/concept/schedule.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/diagnostic/never.hpp>

#include <type_traits>

// Compile-time messages about schedulers; see diagnostic/calls.hpp.
namespace pgq::diagnostic {

template <class Driver>
struct cannot_schedule {
    static_assert(worker_session<typename Driver::session> && can_schedule<typename Driver::session>,
                  "pgq: this driver cannot run schedules. Use another driver, or give its session the members of "
                  "pgq::worker_session and pgq::can_schedule.");
};

template <class Policy>
struct incomplete_schedule {
    static_assert(schedule_policy<Policy>,
                  "pgq: a schedule does not model pgq::schedule_policy. Use pgq::schedule::cron<\"...\">, or give it "
                  "`static constexpr std::string_view expression`.");
};

template <class Policy>
struct schedule_of_a_queue {
    static_assert(never<Policy>,
                  "pgq: a whole queue has a schedule. Move it to one entrypoint: "
                  "pgq::job<T, pgq::schedule::cron<\"...\">>.");
};

template <class Argument>
struct no_schedule_option {
    static_assert(never<Argument>,
                  "pgq: a schedule has an argument that is no option of schedules. Write pgq::schedule::zone, jitter, "
                  "skip_missed, all_missed or overlap behind the expression, and other policies behind the schedule.");
};

template <class... Options>
struct two_schedule_options {
    static_assert(never<Options...>, "pgq: a schedule has two options of the same kind. Keep one of them.");
};

template <class Option>
struct schedule_option_outside {
    static_assert(never<Option>,
                  "pgq: an option of a schedule is not in a schedule. Move it there: "
                  "pgq::schedule::cron<\"...\", OPTION>.");
};

template <class Option>
struct unknown_schedule_zone {
    static_assert(never<Option>,
                  "pgq: the zone of a schedule is neither UTC nor an offset such as +05:45. For a name such as "
                  "Europe/Berlin use pgq::schedule::named_zone of <pgq/timezones.hpp>.");
};

template <class Option>
struct schedule_jitter_out_of_range {
    static_assert(never<Option>,
                  "pgq: the jitter of a schedule is not above zero, or it is above a day. Write a time in this range, "
                  "such as pgq::schedule::jitter<30s>, or remove it.");
};

template <class Option>
struct missed_ticks_out_of_range {
    static_assert(never<Option>,
                  "pgq: all_missed of a schedule has a number of ticks that is not 1 to 1000, or an age that is not "
                  "above zero. Write a number in this range: pgq::schedule::all_missed<60>.");
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

/// As require_schedules, for a worker: it needs no schedules if `Jobs`, its job types with one, are none.
template <class Driver, class Jobs>
struct require_schedules_for : require_schedules<Driver> {};
template <class Driver>
struct require_schedules_for<Driver, pgq::detail::type_list<>> : std::true_type {};

}  // namespace pgq::diagnostic
