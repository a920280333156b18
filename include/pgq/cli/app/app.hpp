#pragma once

#include <pgq/cli/command_tree.hpp>

#include <pgq/client/queue_core.hpp>
#include <pgq/diagnostic/programs.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/queue.hpp>
#include <pgq/run/run_options.hpp>
#include <pgq/worker/worker_options.hpp>

#include <concepts>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

namespace pgq {

namespace cli {

struct no_queue {
    struct part {};
    using driver_type = part;
    using executor_type = part;
    using observer_type = part;
};
/// The queue; for anything else a message, and a stand-in, so that the message stays the only one.
template <class Queue>
using checked_queue = std::conditional_t<diagnostic::require_queue_type<Queue>::value, Queue, no_queue>;

template <class Driver>
concept made_of_options = std::constructible_from<Driver, driver::connection_options>;
/// Such as `driver::pool<driver::libpq>`.
template <class Driver>
concept made_around_libpq = !made_of_options<Driver> && std::constructible_from<Driver, driver::libpq>;
template <class Driver>
inline constexpr bool can_make_driver = made_of_options<Driver> || made_around_libpq<Driver>;

template <class Driver>
Driver make_driver(driver::connection_options o) {
    if constexpr (made_of_options<Driver>) return Driver{std::move(o)};
    else return Driver{driver::libpq{std::move(o)}};
}

}  // namespace cli

/// What pgq::main makes a program of. Each member has a default: `pgq::app<my_queue>{.name = "mailer"}`.
template <class Queue>
struct app {
    using queue_type = cli::checked_queue<Queue>;
    using executor_type = typename queue_type::executor_type;
    using observer_type = typename queue_type::observer_type;

    std::string name{};     ///< in help, errors and completions; empty: that of the file that was started
    std::string what{};     ///< what the program is for, in one sentence without its full stop, for --help
    std::string version{};  ///< what --version prints; empty: the version of pgq
    driver::connection_options database{};  ///< --dsn goes before conninfo, --schema before schema
    queue_options queue{};                  ///< --queue goes before its name
    worker_options worker{};                ///< of `run`; handlers find the queue as `c.resource<my_queue>()`
    run_options run{};                      ///< of `run`; without `log` the lines go to standard error
    executor_type executor = detail::default_part<executor_type>();
    observer_type observer = detail::default_part<observer_type>();
    std::function<void(cli::command_tree&)> commands{};  ///< adds sub-commands of the program's own
};

namespace cli {

template <class T>
inline constexpr bool is_app = false;
template <class Queue>
inline constexpr bool is_app<app<Queue>> = true;

}  // namespace cli

}  // namespace pgq
