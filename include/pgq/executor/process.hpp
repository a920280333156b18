#pragma once

#include <pgq/concept/decorator.hpp>
#include <pgq/executor/decorator.hpp>
#include <pgq/executor/default_inner.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>

namespace pgq::executor {

/// Runs each call of a handler in a child process, for code that may crash, leak memory or hang. Name it for a queue or
/// an entrypoint: `process`, `timeout<30s, process>`, or with settings `process{{.grace = 1s}, thread_pool{8}}`. A
/// thread of the inner executor waits for each child.
///
/// The result or exception of the handler counts as it does without a process. If a child ends without an answer, the
/// attempt fails, with a reason like "the handler's process was ended by signal 11 (Segmentation fault)".
///
/// When the stop token of the attempt fires, the child gets a SIGTERM. A child that runs on gets a SIGKILL after
/// `grace` (default 2 s). The worker then gives the job back and its attempt does not count; after a `timeout` the
/// attempt fails. In the child the stop token of the context never fires. All children end with the worker; none
/// remains as a zombie.
///
/// A child is a copy of the program at the time of the call of `worker::run`. It does not see later changes, and its
/// own changes are lost when it ends. It has only one thread. So call `run` before you start other threads, or make
/// sure that none of them then holds a lock that a handler needs. Files stay open in a child. Sockets do not: a handler
/// opens its own connections. Signals have their default effect, except that signals of the terminal are ignored. A
/// handler must be a function, not a coroutine.
class process : public decorator<default_inner> {
public:
    struct settings {
        duration grace = std::chrono::seconds{2};
    };
    static constexpr bool makes_processes = true;

    process() = default;
    explicit process(settings s, const default_inner& inner = {}) : decorator{inner}, settings_{s} {}
    explicit process(const default_inner& inner) : decorator{inner} {}

    duration grace() const noexcept { return settings_.grace; }

private:
    settings settings_{};
};

static_assert(executor_decorator<process>);

}  // namespace pgq::executor
