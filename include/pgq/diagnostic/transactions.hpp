#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/diagnostic/never.hpp>

#include <type_traits>

// The messages about transactions, and about handlers that run in one.
namespace pgq::diagnostic {

template <class Driver>
struct driver_without_sql {
    static_assert(
        can_run_sql<typename Driver::session>,
        "pgq: exec on a driver that has no SQL. Use driver::libpq, or enqueue and savepoint, which driver::memory "
        "has, too.");
};

template <class T>
struct no_sql_parameter {
    static_assert(never<T>,
                  "pgq: an argument of exec is neither text, a number, a bool nor a std::optional of these. Convert it "
                  "to text as the server reads it.");
};

/// `Transaction` is that of another queue.
template <class Transaction, class Handler>
struct foreign_transaction {
    static_assert(never<Transaction, Handler>,
                  "pgq: a handler takes the transaction of another queue. Let it take `const Job&, "
                  "pgq::transaction<Queue>&` with the queue of its worker.");
};

template <class Job, class Driver>
struct no_transactions {
    static_assert(never<Job, Driver>,
                  "pgq: a handler takes a transaction and the queue's driver has none. Use driver::libpq or "
                  "driver::memory, or take the parameter away.");
};

template <class Job, class Handler>
struct coroutine_in_transaction {
    static_assert(
        never<Job, Handler>,
        "pgq: a handler that takes a transaction is a coroutine. Make it a function: a transaction blocks its "
        "thread.");
};

template <class Job, class Handler>
struct transaction_in_process {
    static_assert(never<Job, Handler>,
                  "pgq: a handler that takes a transaction cannot run in executor::process. Take the decorator away: a "
                  "connection stays in its process.");
};

namespace detail {

template <class Driver>
using without_sql =
    std::conditional_t<can_run_sql<typename Driver::session>, std::true_type, driver_without_sql<Driver>>;

}  // namespace detail

/// Whether the driver runs statements; if it does not, that is the error.
template <class Driver>
struct require_statements : std::bool_constant<can_run_sql<typename Driver::session>> {
    static_assert(sizeof(detail::without_sql<Driver>) != 0);
};

}  // namespace pgq::diagnostic
