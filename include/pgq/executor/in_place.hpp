#pragma once

#include <pgq/concept/executor.hpp>

#include <cstddef>

namespace pgq::executor {

/// Runs each task in the thread that hands it in, which is the worker's own: one at a time, no thread, no queue. For tests, and for
/// handlers so short that handing over would cost more than they do. With drivers that can (libpq) the worker runs what it has
/// claimed while the server looks for more.
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
