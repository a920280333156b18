#pragma once

#include <pgq/concept/decorator.hpp>
#include <pgq/executor/decorator.hpp>
#include <pgq/executor/default_inner.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>

namespace pgq::executor {

/// Calls each handler in a process of its own, for code that may crash, leak or hang: `process` for a queue or an entrypoint,
/// `timeout<30s, process>`, `process{{.grace = 1s}, thread_pool{8}}`. A thread of the inner executor waits for each child.
///
/// What the handler returns or throws comes back and counts as usual. A child that ends without an answer has failed: "the
/// handler's process was ended by signal 11 (Segmentation fault)". When the attempt's stop token fires the child gets a SIGTERM, which
/// ends it unless the handler changed that, and after `grace` (2 s when not said) a SIGKILL; the job is then given back, its attempt not counted, unless
/// it was a `timeout`, which is a failure. In the child the context's own stop token never fires. No child outlives the worker, and
/// none stays as a zombie.
///
/// A child is a copy of the program as it was when `worker::run` was called. It sees nothing that changed since, and what it
/// changes is gone with it. Of the program's threads it has none: so call `run` before others are started, or be sure that
/// none of them holds a lock at that moment that a handler wants. Files are open as they were, connections are not: a handler
/// makes its own. Signals have their default effect, but those of a terminal are ignored. Functions only, no coroutines.
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
