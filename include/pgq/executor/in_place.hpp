#pragma once

#include <pgq/concept/executor.hpp>

#include <cstddef>

namespace pgq::executor {

/// Runs each task at once, in the thread that hands it in: one at a time, no thread, no queue. For tests, and for
/// handlers so short that handing over would cost more than they do.
class in_place {
public:
    using policy_category = executor_tag;

    static constexpr std::size_t width() noexcept { return 1; }

    static void start() noexcept {}
    static void execute(const task& t) noexcept { t.run(); }
    static void stop() noexcept {}
};

static_assert(executor_policy<in_place>);

}  // namespace pgq::executor
