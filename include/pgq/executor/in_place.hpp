#pragma once

#include <pgq/concept/executor.hpp>

#include <cstddef>

namespace pgq::executor {

/// Runs each task in the thread of the worker, one at a time, before `execute` returns. It has no threads and no queue.
/// Use it in tests, and for handlers that take less time than passing a job to another thread. With a driver that
/// supports it (libpq), the worker runs the jobs that it has claimed while the server works on the next claim.
class in_place {
public:
    using policy_category = executor_tag;
    static constexpr bool runs_in_place = true;

    static constexpr std::size_t width() noexcept { return 1; }

    static void start() noexcept {}
    static void execute(const task& t) noexcept { t.run(); }
    static void stop() noexcept {}
};

static_assert(runs_in_place<in_place>);

}  // namespace pgq::executor
