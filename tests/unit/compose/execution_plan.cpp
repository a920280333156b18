#include <pgq/backoff/fixed.hpp>
#include <pgq/compose/checked.hpp>
#include <pgq/compose/execution_plan.hpp>
#include <pgq/executor/process.hpp>
#include <pgq/executor/retrying.hpp>
#include <pgq/executor/strand_by.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/executor/timeout.hpp>

#include "compile_fail/fakes.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <string>
#include <tuple>
#include <type_traits>

namespace unit_compose_execution_plan {

namespace {

using namespace std::chrono_literals;
using namespace pgq::executor;
using fakes::mail;
using fakes::picture;
using pgq::detail::execution_plan;

using patient = retrying<pgq::backoff::fixed>;

template <class... Args>
using composed = typename pgq::checked<Args..., picture, fakes::driver, fakes::serializer>::composition_type;
template <class... Policies>
using plan_of = execution_plan<composed<pgq::job<mail, Policies...>, thread_pool>, mail>;

template <class Plan>
constexpr bool is_plain = !Plan::is_decorated && !Plan::in_strands && !Plan::needs_watchdog && !Plan::in_process;

static_assert(is_plain<plan_of<>>);
static_assert(plan_of<patient>::is_decorated && !plan_of<patient>::needs_watchdog);
static_assert(plan_of<timeout<30s>>::is_decorated && plan_of<timeout<30s>>::needs_watchdog);
static_assert(plan_of<strand_by<&mail::to>>::in_strands && !plan_of<strand_by<&mail::to>>::is_decorated);
static_assert(plan_of<process>::in_process && !plan_of<process>::is_decorated);

// A decorator of one entrypoint applies to that entrypoint only. Those of the queue's executor apply to all.
using own = composed<pgq::job<mail, timeout<30s>>, thread_pool>;
static_assert(is_plain<execution_plan<own, picture>>);
static_assert(pgq::detail::execution_plans<own, own::jobs>::needs_watchdog);
static_assert(!pgq::detail::execution_plans<own, own::jobs>::in_process);
using whole = composed<mail, timeout<30s, thread_pool>>;
static_assert(execution_plan<whole, mail>::needs_watchdog && execution_plan<whole, picture>::needs_watchdog);

// The entrypoint's decorators are around those of the queue.
using nested = execution_plan<composed<pgq::job<mail, patient>, timeout<30s, thread_pool>>, mail>;
static_assert(std::is_same_v<decltype(nested::decorators(nested::own_executor{}, timeout<30s, thread_pool>{})),
                             std::tuple<const patient&, const timeout<30s, thread_pool>&>>);

static_assert(std::is_same_v<decltype(plan_of<strand_by<&mail::to>>::key(mail{})), std::string>);

}  // namespace

TEST_CASE("the key of a strand is the member's value, whatever decorators are around it", "[compose][execution_plan]") {
    CHECK(plan_of<strand_by<&mail::to>>::key(mail{"ada"}) == "ada");
    CHECK(plan_of<retrying<pgq::backoff::fixed, strand_by<&mail::to>>>::key(mail{"bob"}) == "bob");
}

TEST_CASE("the outermost process decorator sets the grace time of a child", "[compose][execution_plan]") {
    using of_queue = execution_plan<composed<mail, process>, mail>;
    CHECK(of_queue::process_grace({}, process{{.grace = 7s}}) == 7s);
    CHECK(plan_of<process>::process_grace(process{{.grace = 9s}}, thread_pool{}) == 9s);
}

}  // namespace unit_compose_execution_plan
