#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/diagnostic/never.hpp>

#include <type_traits>

// Compile-time messages about transactions, and about handlers that run in a transaction.
namespace pgq::diagnostic {

template <class Driver>
struct driver_without_sql {
    static_assert(can_run_sql<typename Driver::session>,
                  "pgq: exec requires a driver that runs SQL. Use driver::libpq, or call only enqueue and savepoint, "
                  "which driver::memory has, too.");
};

template <class T>
struct no_sql_parameter {
    static_assert(never<T>,
                  "pgq: an argument of exec is not text, a number, a bool or a std::optional of these. Convert it to a "
                  "text that the server can read.");
};

/// `Function` is a handler, or the function for queue::transaction.
template <class Function>
struct transaction_by_value {
    static_assert(never<Function>,
                  "pgq: a transaction is taken by value. Take it by reference: `pgq::transaction<Queue>& tx`, or "
                  "`auto& tx`.");
};

template <class Function>
struct no_transaction_parameter {
    static_assert(never<Function>,
                  "pgq: the function for transaction() cannot be called with a transaction. Let it take `auto& tx`.");
};

/// `Transaction` belongs to another queue.
template <class Transaction, class Handler>
struct foreign_transaction {
    static_assert(never<Transaction, Handler>,
                  "pgq: a handler takes a transaction of another queue. Let it take `const Job&, "
                  "pgq::transaction<Queue>&` with the queue of its worker.");
};

template <class Job, class Driver>
struct no_transactions {
    static_assert(never<Job, Driver>,
                  "pgq: a handler takes a transaction, but the driver of the queue has none. Use driver::libpq or "
                  "driver::memory, or remove the parameter.");
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
                  "pgq: a handler that takes a transaction cannot run in executor::process. Remove the decorator: the "
                  "connection belongs to the worker's process.");
};

namespace detail {

template <class T>
T prvalue();

// A transaction cannot be copied or moved, but a parameter of its type can be made of a function's value.
template <class F, class Transaction>
concept takes_value_of = requires(F& f) {
    f(prvalue<Transaction>());
};

template <class Driver>
using without_sql =
    std::conditional_t<can_run_sql<typename Driver::session>, std::true_type, driver_without_sql<Driver>>;

}  // namespace detail

/// The message for a function that cannot be called with a transaction.
template <class Function, class Transaction>
using unfit_for_transaction = std::conditional_t<detail::takes_value_of<Function, Transaction>,
                                                 transaction_by_value<Function>, no_transaction_parameter<Function>>;

/// True if sessions of the driver can run SQL; otherwise a compile error with a message.
template <class Driver>
struct require_statements : std::bool_constant<can_run_sql<typename Driver::session>> {
    static_assert(sizeof(detail::without_sql<Driver>) != 0);
};

}  // namespace pgq::diagnostic
