#include <pgq/concept/decorator.hpp>
#include <pgq/executor/coroutine.hpp>
#include <pgq/executor/decorator.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/executor/process.hpp>
#include <pgq/executor/retrying.hpp>
#include <pgq/executor/strand_by.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/executor/timeout.hpp>

#include "compile_fail/fakes.hpp"

#include <chrono>
#include <optional>

namespace concept_decorator {

namespace {

using namespace pgq;
using namespace std::chrono_literals;

static_assert(intercepts_tries<executor::retrying<fakes::backoff>>);
static_assert(intercepts_tries<executor::retrying<fakes::backoff, executor::in_place>>);
static_assert(intercepts_tries<executor::timeout<30s>>);
static_assert(intercepts_tries<executor::timeout<30s, executor::retrying<fakes::backoff>>>);
// These decorators change where a handler runs, not how often or how long.
static_assert(executor_decorator<executor::process> && !intercepts_tries<executor::process>);
using strand = executor::strand_by<&fakes::mail::to>;
static_assert(executor_decorator<strand> && !intercepts_tries<strand>);

// These executors are no decorators, although they have the same category.
static_assert(!executor_decorator<executor::thread_pool> && !executor_decorator<executor::in_place>);
static_assert(!executor_decorator<fakes::executor> && !executor_decorator<fakes::backoff>);
static_assert(!executor_policy<executor::retrying<>> && !executor_decorator<executor::retrying<>>);

// A decorator models the same concepts as its inner executor.
static_assert(executor_policy<executor::timeout<30s>> && !coroutine_executor<executor::timeout<30s>>);
static_assert(coroutine_executor<executor::timeout<30s, fakes::coroutine_executor>>);
static_assert(can_add_spare_thread<executor::thread_pool> && can_add_spare_thread<executor::timeout<30s>>);
static_assert(!can_add_spare_thread<executor::in_place> &&
              !can_add_spare_thread<executor::timeout<30s, executor::in_place>>);

struct that_doubts : executor::decorator<> {
    struct attempt {
        explicit attempt(const that_doubts&) {}
        void enter(try_scope&) {}
        std::optional<duration> leave(const try_scope&, try_result&, steady_time) { return std::nullopt; }
    };
};
static_assert(intercepts_tries<that_doubts>);

struct that_only_enters : executor::decorator<> {
    struct attempt {
        void enter(try_scope&) {}
    };
};
static_assert(!intercepts_tries<that_only_enters> && executor_decorator<that_only_enters>);

struct that_always_wants_more : executor::decorator<> {
    struct attempt {
        void enter(try_scope&) {}
        duration leave(const try_scope&, try_result&, steady_time) { return {}; }
    };
};
static_assert(!intercepts_tries<that_always_wants_more>);

struct that_hides_its_inner : executor::decorator<> {
    const int& inner() const noexcept;
};
static_assert(!executor_decorator<that_hides_its_inner>);

}  // namespace

}  // namespace concept_decorator
