#include <pgq/backoff/exponential.hpp>
#include <pgq/backoff/fixed.hpp>
#include <pgq/backoff/jittered.hpp>
#include <pgq/backoff/linear.hpp>
#include <pgq/backoff/none.hpp>
#include <pgq/concept/backoff.hpp>

namespace concept_backoff {

namespace {

using namespace pgq;

static_assert(backoff_policy<backoff::fixed>);
static_assert(backoff_policy<backoff::linear>);
static_assert(backoff_policy<backoff::exponential>);
static_assert(backoff_policy<backoff::none>);
static_assert(backoff_policy<backoff::jittered<backoff::fixed>>);
static_assert(backoff_policy<backoff::jittered<backoff::jittered<backoff::linear>>>);

struct fits {
    using policy_category = backoff_tag;
    duration delay(int) const noexcept { return {}; }
};
static_assert(backoff_policy<fits>);

struct without_category {
    duration delay(int) const noexcept { return {}; }
};
static_assert(can_delay<without_category> && !backoff_policy<without_category>);

struct of_another_category : fits {
    using policy_category = executor_tag;
};
static_assert(!backoff_policy<of_another_category>);

struct that_may_throw : fits {
    duration delay(int) const { return {}; }
};
static_assert(!can_delay<that_may_throw>);

// Several threads call a back-off at once, through a const reference, so `delay` must be const.
struct that_remembers : fits {
    duration delay(int) noexcept { return {}; }
};
static_assert(!can_delay<that_remembers>);

struct in_seconds : fits {
    std::chrono::seconds delay(int) const noexcept { return {}; }
};
static_assert(can_delay<in_seconds>);

struct without_delay {
    using policy_category = backoff_tag;
};
static_assert(!backoff_policy<without_delay> && !backoff_policy<int>);

}  // namespace

}  // namespace concept_backoff
