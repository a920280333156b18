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

/// `Jobs` is the list of the job types with a schedule.
template <class Jobs>
struct schedule_in_async_worker {
    static_assert(never<Jobs>,
                  "pgq: a job type of an async_worker has a schedule, which only pgq::worker fires. Remove the policy "
                  "from the job type, and run a pgq::scheduler beside the async_worker.");
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

/// True if no job type of an async_worker has a schedule; otherwise a compile error with a message.
template <class Jobs>
struct require_no_schedules : std::bool_constant<Jobs::size == 0> {
    using check = std::conditional_t<Jobs::size == 0, std::true_type, schedule_in_async_worker<Jobs>>;
    static_assert(sizeof(check) != 0);
};

/// As require_schedules, for a worker: it needs no schedules if `Jobs`, its job types with one, are none.
template <class Driver, class Jobs>
struct require_schedules_for : require_schedules<Driver> {};
template <class Driver>
struct require_schedules_for<Driver, pgq::detail::type_list<>> : std::true_type {};

}  // namespace pgq::diagnostic
