#pragma once

#include <pgq/cli/app/app.hpp>
#include <pgq/cli/program.hpp>

#include <string>
#include <tuple>
#include <utility>

namespace pgq::cli {

/// What the sub-commands of one program share. A process runs one of them, so that one may take what it needs.
template <class Queue, class... Handlers>
struct app_parts {
    app<Queue> about;
    std::tuple<Handlers...> handlers;

    Queue take_queue(driver::connection_options o, const std::string& name) {
        queue_options named = about.queue;
        if (!name.empty()) named.name = name;
        return Queue{make_driver<typename Queue::driver_type>(std::move(o)), std::move(named),
                     std::move(about.executor), std::move(about.observer)};
    }
};

}  // namespace pgq::cli
