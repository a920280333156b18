#pragma once

#include <pgq/driver/pq/command/execution.hpp>

#include <type_traits>
#include <utility>

namespace pgq::driver::pq {

/// Runs a command on a channel that blocks. A channel has `steps`, `info` and `later`, and `send()`, which sends the
/// steps and waits for their answers.
template <class Channel, class Command>
auto run_command(Channel& channel, Command& c) {
    command::execution<Command> e{c, channel.steps, channel.info, channel.later};
    for (bool more = e.begin(); more; more = e.next())
        if (auto sent = channel.send(); !sent) {
            e.failed(std::move(sent.error()));
            break;
        }
    return e.answer();
}

}  // namespace pgq::driver::pq
