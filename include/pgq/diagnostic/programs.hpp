#pragma once

#include <pgq/diagnostic/never.hpp>

#include <type_traits>

// Compile-time messages about pgq::main and pgq::app.
namespace pgq::diagnostic {

template <class Type>
struct app_of_no_queue {
    static_assert(never<Type>,
                  "pgq: app got a type that is not a queue. Name yours: pgq::app<my_queue>{.name = \"mailer\"}.");
};

template <class Driver>
struct driver_without_options {
    static_assert(never<Driver>,
                  "pgq: main cannot connect the driver of this queue, because connection_options do not make one. Use "
                  "driver::libpq, or write the main function with pgq::run.");
};

template <class Argument>
struct no_app {
    static_assert(never<Argument>,
                  "pgq: the third argument of main is not an app. Write main(argc, argv, pgq::app<my_queue>{}, "
                  "handler...).");
};

template <class Type>
concept queue_type = requires {
    typename Type::composition_type;
    typename Type::driver_type;
    typename Type::executor_type;
    typename Type::observer_type;
};

/// True if `Type` is a queue; otherwise a compile error with a message.
template <class Type>
struct require_queue_type : std::bool_constant<queue_type<Type>> {
    static_assert(sizeof(std::conditional_t<queue_type<Type>, std::true_type, app_of_no_queue<Type>>) != 0);
};

/// The same for a driver that main can make; `Makes` says whether it can.
template <class Driver, bool Makes>
struct require_made_driver : std::bool_constant<Makes> {
    static_assert(sizeof(std::conditional_t<Makes, std::true_type, driver_without_options<Driver>>) != 0);
};

}  // namespace pgq::diagnostic
