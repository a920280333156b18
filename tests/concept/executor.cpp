#include <pgq/concept/executor.hpp>
#include <pgq/executor/coroutine.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/executor/thread_pool.hpp>

#include "compile_fail/fakes.hpp"

#include <cstddef>

namespace concept_executor {

namespace {

using namespace pgq;

static_assert(executor_policy<executor::in_place> && !coroutine_executor<executor::in_place>);
static_assert(executor_policy<executor::thread_pool> && !coroutine_executor<executor::thread_pool>);
#if PGQ_HAS_COROUTINES
static_assert(executor_policy<executor::coroutine> && coroutine_executor<executor::coroutine>);
#endif
static_assert(executor_policy<fakes::executor> && !coroutine_executor<fakes::executor>);
static_assert(coroutine_executor<fakes::coroutine_executor>);

struct that_says_no : fakes::executor {
    static constexpr bool runs_coroutines = false;
};
static_assert(executor_policy<that_says_no> && !coroutine_executor<that_says_no>);

struct of_another_category : fakes::executor {
    using policy_category = driver_tag;
};
static_assert(!executor_policy<of_another_category>);

struct whose_width_may_throw : fakes::executor {
    std::size_t width() const { return 1; }
};
static_assert(!has_width<whose_width_may_throw> && !executor_policy<whose_width_may_throw>);

struct of_signed_width : fakes::executor {
    int width() const noexcept { return 1; }
};
static_assert(!has_width<of_signed_width>);

struct whose_stop_may_throw : fakes::executor {
    void stop() {}
};
static_assert(!can_start_and_stop<whose_stop_may_throw> && !executor_policy<whose_stop_may_throw>);

struct of_another_task : fakes::executor {
    void execute(int) {}
};
static_assert(!can_execute<of_another_task> && !executor_policy<of_another_task>);

struct that_changes_the_task : fakes::executor {
    void execute(task&) {}
};
static_assert(!can_execute<that_changes_the_task>);

}  // namespace

}  // namespace concept_executor
