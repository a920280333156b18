#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/concept/serializer.hpp>
#include <pgq/diagnostic/never.hpp>

#include <type_traits>

// The messages about calls on a queue, and the checks that its member functions begin with:
//
//     if constexpr (diagnostic::require_known_job<composition_type, Job>()) { ... }
//
// so that a call that was refused adds no error of its own.
namespace pgq::diagnostic {

/// `Jobs` are those that the queue knows.
template <class Job, class Jobs>
struct unknown_job {
    static_assert(never<Job, Jobs>,
                  "pgq: this queue does not know the job type. Add pgq::job<T> to the queue's arguments.");
};

template <class Driver>
struct blocking_driver {
    static_assert(async_driver<Driver>,
                  "pgq: an asynchronous call on a driver that only blocks. Use a driver of pgq/asio.hpp, "
                  "or the call without async_.");
};

template <class Job, class Serializer>
struct no_result {
    static_assert(
        keeps_result<Job, Serializer>,
        "pgq: this job has no result to get. Give its type `using result = ...`, of a type that its serializer "
        "reads and writes, or call wait().");
};

template <class Driver>
struct only_for_clients {
    static_assert(
        worker_session<typename Driver::session>,
        "pgq: the sessions of this driver are for clients only: no worker runs on them, and nothing waits for "
        "jobs or for their ends. Use another driver, or give its session the members of pgq::worker_session.");
};

template <class Driver>
struct cannot_take {
    static_assert(can_take<typename Driver::session>,
                  "pgq: jobs cannot be taken by hand with this driver. Give its session the members of pgq::can_take.");
};

template <class Driver>
struct cannot_transact {
    static_assert(can_transact<typename Driver::session>,
                  "pgq: this driver has no transactions. Give its session the members of pgq::can_transact.");
};

template <class Driver>
struct no_sql {
    static_assert(
        can_run_sql<typename Driver::session>,
        "pgq: this driver runs no SQL. Use one of PostgreSQL, or leave exec() out where the driver is another one.");
};

template <class Job, class Uniqueness>
struct unique_stream {
    static_assert(
        never<Job, Uniqueness>,
        "pgq: jobs with unique keys are not for enqueue_stream: COPY cannot look for keys. Call enqueue() with a "
        "range, some thousand jobs at a time.");
};

namespace detail {

template <class Composition, class Job>
inline constexpr bool knows = Composition::valid&& Composition::template contains<Job>;

// A queue that was refused as a whole has had its message.
template <class Composition, class Job>
using unknown_to = std::conditional_t<knows<Composition, Job> || !Composition::valid, std::true_type,
                                      unknown_job<Job, typename Composition::jobs>>;

template <class Driver>
using not_async = std::conditional_t<async_driver<Driver>, std::true_type, blocking_driver<Driver>>;

template <class Driver>
inline constexpr bool works = false;
template <driver_policy Driver>
inline constexpr bool works<Driver> = worker_driver<Driver>;
template <class Driver>
inline constexpr bool takes = false;
template <driver_policy Driver>
inline constexpr bool takes<Driver> = can_take<typename Driver::session>;
template <class Driver>
inline constexpr bool transacts = false;
template <driver_policy Driver>
inline constexpr bool transacts<Driver> = takes<Driver>&& can_transact<typename Driver::session>;
template <class Driver>
inline constexpr bool runs_sql = false;
template <driver_policy Driver>
inline constexpr bool runs_sql<Driver> = can_run_sql<typename Driver::session>;

// No driver at all is that of a refused queue.
template <bool Fine, class Driver, class Message>
using told_unless = std::conditional_t<Fine || !driver_policy<Driver>, std::true_type, Message>;

}  // namespace detail

// Classes, not functions: Clang evaluates no function whose instantiation has seen an error, and would say so.

/// Whether `Job` belongs to the composition; if it does not, that is the error.
template <class Composition, class Job>
struct require_known_job : std::bool_constant<detail::knows<Composition, Job>> {
    static_assert(sizeof(detail::unknown_to<Composition, Job>) != 0);
};

/// Whether no policy makes unique keys of such jobs; if one does, that is the error.
template <class Composition, class Job>
struct require_no_unique_keys : std::bool_constant<std::is_void_v<typename Composition::template uniqueness_of<Job>>> {
    using policy = typename Composition::template uniqueness_of<Job>;
    static_assert(sizeof(std::conditional_t<std::is_void_v<policy>, std::true_type, unique_stream<Job, policy>>) != 0);
};

/// Whether what the job's handler returns is kept; if it is not, that is the error.
template <class Job, class Serializer>
struct require_result : std::bool_constant<keeps_result<Job, Serializer>> {
    static_assert(sizeof(no_result<Job, Serializer>) != 0);
};

/// Whether the driver has asynchronous sessions; if it has not, that is the error.
template <class Driver>
struct require_async : std::bool_constant<async_driver<Driver>> {
    static_assert(sizeof(detail::not_async<Driver>) != 0);
};

/// Whether workers run on the driver's sessions; if not, that is the error.
template <class Driver>
struct require_worker_session : std::bool_constant<detail::works<Driver>> {
    static_assert(sizeof(detail::told_unless<detail::works<Driver>, Driver, only_for_clients<Driver>>) != 0);
};

/// Whether jobs can be taken by hand; if not, that is the error.
template <class Driver>
struct require_taking : std::bool_constant<detail::takes<Driver>> {
    static_assert(sizeof(detail::told_unless<detail::takes<Driver>, Driver, cannot_take<Driver>>) != 0);
};

/// Whether there are transactions; if not, that is the error.
template <class Driver>
struct require_transactions : std::bool_constant<detail::transacts<Driver>> {
    static_assert(sizeof(detail::told_unless<detail::transacts<Driver>, Driver, cannot_transact<Driver>>) != 0);
};

/// Whether statements can be run; if not, that is the error.
template <class Driver>
struct require_sql : std::bool_constant<detail::runs_sql<Driver>> {
    static_assert(sizeof(detail::told_unless<detail::runs_sql<Driver>, Driver, no_sql<Driver>>) != 0);
};

}  // namespace pgq::diagnostic
