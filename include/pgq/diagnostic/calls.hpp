#pragma once

#include <pgq/concept/copy.hpp>
#include <pgq/concept/driver.hpp>
#include <pgq/concept/policy.hpp>
#include <pgq/concept/serializer.hpp>
#include <pgq/diagnostic/never.hpp>

#include <type_traits>

// Compile-time messages about calls on a queue, and the checks with which its member functions start:
//
//     if constexpr (diagnostic::require_known_job<composition_type, Job>()) { ... }
//
// so that a call with a mistake gives one error and no more.
namespace pgq::diagnostic {

/// `Jobs` is the list of the job types of the queue.
template <class Job, class Jobs>
struct unknown_job {
    static_assert(never<Job, Jobs>,
                  "pgq: this queue does not have the job type. Add pgq::job<T> to the arguments of the queue.");
};

template <class Driver>
struct blocking_driver {
    static_assert(async_driver<Driver>,
                  "pgq: an asynchronous call requires an asynchronous driver. Use a driver of pgq/asio.hpp, or the "
                  "call without async_.");
};

template <class Driver, class Token>
struct not_asynchronous_enough {
    static_assert(
        async_worker_session<typename Driver::session, Token>,
        "pgq: async_worker cannot use the sessions of this driver: an asynchronous verb is missing. Give them "
        "the members of pgq::async_worker_session, or use worker.");
};

template <class Job, class Serializer>
struct no_result {
    static_assert(keeps_result<Job, Serializer>,
                  "pgq: this job type has no result. Give it `using result = ...` with a type that its serializer "
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
                  "pgq: this driver cannot take jobs without a worker. Give its session the members of pgq::can_take.");
};

template <class Driver>
struct cannot_transact {
    static_assert(can_transact<typename Driver::session>,
                  "pgq: this driver has no transactions. Give its session the members of pgq::can_transact.");
};

template <class Job, class Other>
struct several_jobs {
    static_assert(never<Job, Other>,
                  "pgq: enqueue got several jobs. Write them as a list, enqueue({a, b}), or use flow() for jobs of "
                  "different types.");
};

template <class Argument>
struct no_enqueue_options {
    static_assert(never<Argument>,
                  "pgq: the second argument of enqueue is not its options. Write them in braces with their names: "
                  "enqueue(job, {.run_at = pgq::in(5min), .priority = 1}).");
};

template <class Options>
struct unknown_option {
    static_assert(never<Options>,
                  "pgq: enqueue has no option of this name, or none that takes this value. Its options are priority, "
                  "run_at, expected_at, headers, unique_key, after, if_parent_fails, expires_at, if_expired, "
                  "max_attempts, timeout, keep_outcome, at_most, wait_for_room, packed and request_id, in this order.");
};

template <class Composition, class... Arguments>
struct const_queue {
    static_assert(never<Composition, Arguments...>,
                  "pgq: a queue is const, but this call changes it. Remove const: a queue connects when it is used.");
};

template <class Queue>
struct const_queue_of_worker {
    static_assert(never<Queue>,
                  "pgq: the queue of a worker is const. Give the worker a queue that is not: both use its connection.");
};

template <class Driver>
struct no_default_driver {
    static_assert(never<Driver>,
                  "pgq: the driver of a queue has no default constructor. Give it to the constructor of the queue: "
                  "queue jobs{driver{...}}. The drivers of pgq/asio.hpp need an executor.");
};

template <class Part>
struct no_default_part {
    static_assert(never<Part>,
                  "pgq: the observer or executor of a queue has no default constructor. Give it to the constructor of "
                  "the queue: queue jobs{driver, options, executor, observer}.");
};

template <class Driver, class Text>
struct text_for_driver {
    static_assert(never<Driver, Text>,
                  "pgq: the first argument of a queue is its driver, not its name. Write the name into its options, "
                  "queue jobs{driver{}, {.name = \"mails\"}}, and a conninfo into the driver.");
};

/// `Calls` are those that <pgq/client.hpp> leaves out.
template <class Calls>
struct not_included {
    static_assert(
        never<Calls>,
        "pgq: <pgq/client.hpp> only enqueues and looks after jobs. Include <pgq/pgq.hpp> to take jobs and for "
        "transactions.");
};

template <class Driver>
struct cannot_copy {
    static_assert(
        never<Driver>,
        "pgq: enqueue_stream needs a driver whose sessions have COPY, such as driver::libpq. With this driver, "
        "call enqueue() with a range, some thousand jobs at a time.");
};

template <class Job, class Uniqueness>
struct unique_stream {
    static_assert(never<Job, Uniqueness>,
                  "pgq: enqueue_stream cannot enqueue jobs with unique keys, because COPY does not check keys. Call "
                  "enqueue() with a range, some thousand jobs at a time.");
};

template <class Job, class Setting>
struct setting_in_stream {
    static_assert(never<Job, Setting>,
                  "pgq: enqueue_stream cannot enqueue jobs with delay, expires_in or keep_outcome, because COPY stores "
                  "payloads and priorities only. Call enqueue() with a range, some thousand jobs at a time.");
};

namespace detail {

template <class Composition, class Job>
inline constexpr bool has_job_type = Composition::valid&& Composition::template contains<Job>;

// If the queue itself has a mistake, its message is already printed, so a call on it adds none.
template <class Composition, class Job>
using error_if_unknown = std::conditional_t<has_job_type<Composition, Job> || !Composition::valid, std::true_type,
                                            unknown_job<Job, typename Composition::jobs>>;

template <class Driver>
inline constexpr bool works = false;
template <driver_policy Driver>
inline constexpr bool works<Driver> = worker_driver<Driver>;
template <class Driver, class Token>
inline constexpr bool works_async = false;
template <async_driver Driver, class Token>
inline constexpr bool works_async<Driver, Token> = async_worker_session<typename Driver::session, Token>;
template <class Driver>
inline constexpr bool takes = false;
template <driver_policy Driver>
inline constexpr bool takes<Driver> = can_take<typename Driver::session>;
template <class Driver>
inline constexpr bool transacts = false;
template <driver_policy Driver>
inline constexpr bool transacts<Driver> = takes<Driver>&& can_transact<typename Driver::session>;
template <class Driver>
inline constexpr bool copies = false;
template <driver_policy Driver>
inline constexpr bool copies<Driver> = can_copy<typename Driver::session>;
template <class T>
concept is_defined = requires {
    sizeof(T);
};

// A queue with a mistake may have no driver. Then a call adds no message.
template <bool Fine, class Driver, class Message>
using error_unless = std::conditional_t<Fine || !driver_policy<Driver>, std::true_type, Message>;

}  // namespace detail

// These are classes and not functions: if the instantiation of a function has an error, Clang does not evaluate the
// function and prints a second error.

/// True if the queue has the job type `Job`; otherwise a compile error with a message.
template <class Composition, class Job>
struct require_known_job : std::bool_constant<detail::has_job_type<Composition, Job>> {
    static_assert(sizeof(detail::error_if_unknown<Composition, Job>) != 0);
};

/// True if COPY can store jobs of this type: no policy makes unique keys, and no setting needs more than a priority.
/// Otherwise a compile error with a message.
template <class Composition, class Job>
struct require_copyable {
    template <class Category, class Else>
    using policy_or = std::conditional_t<std::is_void_v<typename Composition::template policy_for<Job, Category>>, Else,
                                         typename Composition::template policy_for<Job, Category>>;
    using keys = typename Composition::template uniqueness_of<Job>;
    using setting = policy_or<delay_tag, policy_or<expiry_tag, policy_or<keep_outcome_tag, void>>>;
    static constexpr bool value = std::is_void_v<keys> && std::is_void_v<setting>;
    using check = std::conditional_t<
        value, std::true_type,
        std::conditional_t<std::is_void_v<keys>, setting_in_stream<Job, setting>, unique_stream<Job, keys>>>;
    static_assert(sizeof(check) != 0);
    constexpr operator bool() const noexcept { return value; }
};

/// True if the database stores what handlers of `Job` return; otherwise a compile error with a message.
template <class Job, class Serializer>
struct require_result : std::bool_constant<keeps_result<Job, Serializer>> {
    static_assert(sizeof(no_result<Job, Serializer>) != 0);
};

/// True if the driver has asynchronous sessions; otherwise a compile error with a message.
template <class Driver>
struct require_async : std::bool_constant<async_driver<Driver>> {
    static_assert(sizeof(detail::error_unless<async_driver<Driver>, Driver, blocking_driver<Driver>>) != 0);
};

/// True if an async_worker can use sessions of the driver; otherwise a compile error with a message. `Token`: the
/// completion token of the worker's steps.
template <class Driver, class Token>
struct require_async_worker_session : std::bool_constant<detail::works_async<Driver, Token>> {
    static constexpr bool is_said = !async_driver<Driver> || !detail::works<Driver>;  // by another message
    using check = std::conditional_t<is_said || detail::works_async<Driver, Token>, std::true_type,
                                     not_asynchronous_enough<Driver, Token>>;
    static_assert(sizeof(check) != 0);
};

/// True if workers run on sessions of the driver; otherwise a compile error with a message.
template <class Driver>
struct require_worker_session : std::bool_constant<detail::works<Driver>> {
    static_assert(sizeof(detail::error_unless<detail::works<Driver>, Driver, only_for_clients<Driver>>) != 0);
};

/// True if a worker can use the queue object; otherwise a compile error with a message.
template <class Queue>
struct require_mutable_queue : std::bool_constant<!std::is_const_v<Queue>> {
    using check = std::conditional_t<!std::is_const_v<Queue>, std::true_type, const_queue_of_worker<Queue>>;
    static_assert(sizeof(check) != 0);
};

/// True if sessions of the driver can take jobs without a worker; otherwise a compile error with a message.
template <class Driver>
struct require_taking : std::bool_constant<detail::takes<Driver>> {
    static_assert(sizeof(detail::error_unless<detail::takes<Driver>, Driver, cannot_take<Driver>>) != 0);
};

/// True if sessions of the driver have transactions; otherwise a compile error with a message.
template <class Driver>
struct require_transactions : std::bool_constant<detail::transacts<Driver>> {
    static_assert(sizeof(detail::error_unless<detail::transacts<Driver>, Driver, cannot_transact<Driver>>) != 0);
};

/// True if sessions of the driver store jobs by COPY; otherwise a compile error with a message.
template <class Driver>
struct require_copy : std::bool_constant<detail::copies<Driver>> {
    static_assert(sizeof(detail::error_unless<detail::copies<Driver>, Driver, cannot_copy<Driver>>) != 0);
};

/// Whether the header with these calls is included; if not, that is the error.
template <class Calls>
struct require_included : std::bool_constant<detail::is_defined<Calls>> {
    static_assert(sizeof(std::conditional_t<detail::is_defined<Calls>, std::true_type, not_included<Calls>>) != 0);
};

}  // namespace pgq::diagnostic
