#pragma once

#include <pgq/cli/app/app.hpp>
#include <pgq/cli/app/enqueue_job.hpp>
#include <pgq/cli/app/parts.hpp>
#include <pgq/cli/app/run_jobs.hpp>
#include <pgq/cli/command/all.hpp>
#include <pgq/cli/command_tree.hpp>
#include <pgq/cli/payload/typed_payloads.hpp>

#include <pgq/diagnostic/programs.hpp>
#include <pgq/version.hpp>

#include <algorithm>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace pgq {

namespace cli {

/// Shells complete it, and scripts are named after it.
inline bool is_program_name(std::string_view name) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.';
    };
    return !name.empty() && name.front() != '-' && std::all_of(name.begin(), name.end(), fits);
}

template <class Queue>
description describe(const app<Queue>& a, std::string_view started_as) {
    description d{.name = a.name, .what = a.what, .version = a.version, .database = a.database};
    if (d.name.empty()) d.name = started_as.substr(started_as.rfind('/') + 1);
    if (d.what.empty()) d.what = "Runs jobs of pgq, and looks after them";
    d.version = d.name + (d.version.empty() ? "" : ' ' + d.version) + " (pgq " PGQ_VERSION ")";
    return d;
}

template <class Queue, class... Handlers>
int run_app(int argc, char** argv, app_parts<Queue, Handlers...> parts) {
    description about = describe(parts.about, argc > 0 ? argv[0] : "");
    if (!is_program_name(about.name)) {
        complain("\"" + about.name + "\" is no name for a program; use letters, digits, '-', '_' and '.' in app::name");
        return static_cast<int>(exit_code::wrong_use);
    }
    command_tree tree{std::move(about)};
    tree.root().add<command::run_jobs<Queue, Handlers...>>(parts);
    tree.root().add<command::enqueue_job<Queue, Handlers...>>(parts);
    add_commands(tree);
    tree.decode_payloads_with(&typed_payloads<Queue>::decode);
    try {
        if (parts.about.commands) parts.about.commands(tree);
        return tree.run(argc, argv);
    } catch (const std::exception& e) {  // of a handler's constructor, an observer, a source of keys
        complain(e.what());
        return static_cast<int>(exit_code::not_met);
    }
}

}  // namespace cli

/// The main function of a program with jobs: `return pgq::main(argc, argv, pgq::app<my_queue>{.name = "mailer"},
/// handler...);` The program has the sub-commands of the command `pgq`, and these:
///
/// - `run` runs the handlers in a worker, as pgq::run does; they are those of pgq::worker.
/// - `enqueue ENTRYPOINT JSON` enqueues a job, which it checks against its type.
///
/// Returns the exit code. Listings show payloads as JSON, also encrypted, compressed and former ones.
template <class Queue, class... Handlers>
int main(int argc, char** argv, app<Queue> about, Handlers... handlers) {
    if constexpr (!diagnostic::queue_type<Queue>) return 2;  // app has said it
    else if constexpr (!Queue::valid) return 2;              // and the queue
    else if constexpr (!diagnostic::require_made_driver<typename Queue::driver_type,
                                                        cli::can_make_driver<typename Queue::driver_type>>())
        return 2;
    else return cli::run_app<Queue, Handlers...>(argc, argv, {std::move(about), {std::move(handlers)...}});
}
/// Does not compile: the third argument is no app.
template <class NoApp, class... Rest>
    requires(!cli::is_app<NoApp>)
int main(int, char**, const NoApp&, const Rest&...) {
    (void)sizeof(diagnostic::no_app<NoApp>);
    return 2;
}

}  // namespace pgq
