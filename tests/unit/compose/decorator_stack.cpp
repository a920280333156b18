#include <pgq/backoff/fixed.hpp>
#include <pgq/backoff/linear.hpp>
#include <pgq/compose/decorator_stack.hpp>
#include <pgq/executor/decorator.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/executor/retrying.hpp>
#include <pgq/executor/strand_by.hpp>
#include <pgq/executor/timeout.hpp>
#include <pgq/executor/watchdog.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

namespace unit_compose_decorator_stack {

namespace {

using namespace std::chrono_literals;
using namespace pgq::executor;
using pgq::backoff::fixed;
using pgq::backoff::linear;
using pgq::detail::chain_t;
using pgq::detail::type_list;

std::vector<std::string> calls;

/// Records its calls, and asks for a given number of pauses.
template <char Name, class Inner = default_inner>
class recording : public decorator<Inner> {
public:
    recording() = default;
    explicit recording(int pauses, const Inner& inner = Inner{}) : decorator<Inner>{inner}, pauses_{pauses} {}

    class attempt {
    public:
        explicit attempt(const recording& of) : pauses_{of.pauses_} {}
        ~attempt() { calls.push_back(std::string{"~"} + Name); }
        attempt(const attempt&) = delete;
        attempt& operator=(const attempt&) = delete;

        void enter(pgq::try_scope&) { calls.push_back(std::string{"+"} + Name); }
        std::optional<pgq::duration> leave(const pgq::try_scope&, pgq::try_result&, pgq::steady_time) {
            calls.push_back(std::string{"-"} + Name);
            if (pauses_ == 0) return std::nullopt;
            --pauses_;
            return 1s;
        }

    private:
        int pauses_;
    };

private:
    int pauses_ = 0;
};

class throwing : public decorator<> {
public:
    class attempt {
    public:
        explicit attempt(const throwing&) {}
        void enter(pgq::try_scope&) {}
        std::optional<pgq::duration> leave(const pgq::try_scope&, pgq::try_result&, pgq::steady_time) {
            throw std::runtime_error{"a broken decorator"};
        }
    };
};

struct member {
    int key = 0;
};

// A time far from now: the watchdog of a timeout uses the real clock, and must not fire in these tests.
const pgq::steady_time began = std::chrono::steady_clock::now() + 1000h;

pgq::try_result failure(std::string why = "no") {
    return {.what = pgq::retry_after{{}, std::move(why)}, .has_delay = false};
}

/// The decorator stack of an executor, with one function per step.
template <class Executor>
struct stack_of {
    explicit stack_of(const Executor& e)
        : executor{e},
          stack(std::apply([&](const auto&... all) { return stack_type(services(), all...); },
                           pgq::detail::decorators_of(executor))) {
        scope.began = began;
        scope.stop = stop.get_token();
        stack.enter(scope, began);
    }
    pgq::detail::attempt_services services() { return {.time_limits = &time_limits, .owner = this}; }
    std::optional<pgq::duration> leave(pgq::steady_time now) { return stack.leave(result, now, watch); }

    using stack_type =
        typename pgq::detail::decorator_stack_of<decltype(pgq::detail::decorators_of(std::declval<Executor&>()))>::type;
    Executor executor;  // the stack refers to it
    pgq::detail::watchdog time_limits{};
    std::stop_source stop{};
    pgq::try_scope scope{};
    pgq::try_result result{};
    std::stop_token watch{};
    stack_type stack;
};

using two = recording<'a', recording<'b'>>;

static_assert(std::is_same_v<chain_t<two>, type_list<two, recording<'b'>, default_inner>>);
static_assert(std::is_same_v<chain_t<void>, type_list<>>);
static_assert(std::is_same_v<pgq::detail::undecorated<recording<'a', in_place>>::type, in_place>);
// A strand has no part in an attempt: it decides when the attempt begins.
static_assert(std::tuple_size_v<decltype(pgq::detail::decorators_of(strand_by<&member::key>{}))> == 0);
static_assert(std::tuple_size_v<decltype(pgq::detail::decorators_of(strand_by<&member::key, recording<'a'>>{}))> == 1);

}  // namespace

TEST_CASE("decorators are entered from the outermost to the innermost, and left in the opposite order",
          "[compose][decorator_stack]") {
    calls.clear();
    {
        stack_of<two> s{two{}};
        CHECK_FALSE(s.leave(began));
    }
    CHECK(calls == std::vector<std::string>{"+a", "+b", "-b", "-a", "~b", "~a"});
}

TEST_CASE("a decorator that asks for a pause is not left, and the decorators inside of it start again",
          "[compose][decorator_stack]") {
    calls.clear();
    const recording<'a', recording<'b'>> inner_pauses{0, recording<'b'>{1}};
    stack_of<two> s{inner_pauses};
    CHECK(s.leave(began) == 1s);
    s.stack.again(s.scope, began + 1s);
    CHECK(s.scope.began == began + 1s);
    CHECK_FALSE(s.leave(began + 1s));
    CHECK(calls == std::vector<std::string>{"+a", "+b", "-b", "+b", "-b", "-a"});

    calls.clear();
    stack_of<two> outer{two{1, recording<'b'>{}}};
    CHECK(outer.leave(began) == 1s);
    outer.stack.again(outer.scope, began + 1s);
    CHECK(calls == std::vector<std::string>{"+a", "+b", "-b", "-a", "+a", "+b"});
}

TEST_CASE("when a pause is cut short, the outer decorators get the result, and may ask for a pause",
          "[compose][decorator_stack]") {
    calls.clear();
    stack_of<two> s{two{1, recording<'b'>{1}}};
    CHECK(s.leave(began) == 1s);
    CHECK(s.stack.give_up(s.result, began, s.watch) == 1s);
    CHECK_FALSE(s.stack.give_up(s.result, began, s.watch));
    CHECK(calls == std::vector<std::string>{"+a", "+b", "-b", "-a"});
}

TEST_CASE("retrying pauses for the time of its back-off, and gives up after its last try",
          "[compose][decorator_stack][retrying]") {
    using patient = basic_retrying<linear, default_inner, 3, pgq::static_duration{1h}>;
    stack_of<patient> s{patient{{.backoff = {.first = 1s, .step = 5s}}}};
    s.result = failure();
    CHECK(s.leave(began) == 1s);
    s.stack.again(s.scope, began + 1s);
    s.result = failure();
    CHECK(s.leave(began + 1s) == 6s);
    s.stack.again(s.scope, began + 7s);
    s.result = failure("the last one");
    CHECK_FALSE(s.leave(began + 7s));
    CHECK(s.result.what.reason() == "the last one");
}

TEST_CASE("retrying asks for no pause that its budget, the stop token or a success forbids",
          "[compose][decorator_stack][retrying]") {
    using patient = basic_retrying<fixed, default_inner, 3, pgq::static_duration{10s}>;
    const patient policy{{.backoff = {.every = 4s}}};
    stack_of<patient> done{policy};
    CHECK_FALSE(done.leave(began));

    stack_of<patient> late{policy};
    late.result = failure();
    CHECK_FALSE(late.leave(began + 7s));

    stack_of<patient> stopped{policy};
    stopped.stop.request_stop();
    stopped.result = failure();
    CHECK_FALSE(stopped.leave(began));

    stack_of<patient> named{policy};
    named.result = {.what = pgq::retry_after{8s, "busy"}};
    CHECK(named.leave(began) == 8s);
    CHECK_FALSE(named.watch.stop_requested());
    named.stop.request_stop();
    CHECK(named.watch.stop_requested());
}

TEST_CASE("a result that comes at the end of a timeout or later is a failure", "[compose][decorator_stack][timeout]") {
    using limited = timeout<30s>;
    stack_of<limited> in_time{limited{}};
    CHECK(in_time.scope.must_end_by == began + 30s);
    CHECK_FALSE(in_time.leave(began + 30s - 1ns));
    CHECK(in_time.result.what.what() == pgq::outcome::kind::done);

    stack_of<limited> late{limited{}};
    CHECK_FALSE(late.leave(began + 30s));
    CHECK(late.result.failed());
    CHECK(late.result.what.reason() == "timed out after 30 s");
    CHECK_FALSE(late.result.has_delay);
}

TEST_CASE("a stop of the attempt fires the stop token inside a timeout, but the timeout's own token is separate",
          "[compose][decorator_stack][timeout]") {
    using limited = timeout<30s>;
    stack_of<limited> s{limited{}};
    CHECK(s.scope.stop != s.stop.get_token());
    CHECK_FALSE(s.scope.stop.stop_requested());
    s.stop.request_stop();
    CHECK(s.scope.stop.stop_requested());
}

TEST_CASE("a timeout inside retrying limits each call, and a timeout around retrying limits all calls together",
          "[compose][decorator_stack][timeout][retrying]") {
    using each = retrying<fixed, tries<3>, budget<1h>, timeout<30s>>;
    stack_of<each> s{each{}};
    CHECK_FALSE(s.result.failed());
    CHECK(s.leave(began + 31s) == fixed{}.every);
    s.stack.again(s.scope, began + 1min);
    CHECK(s.scope.must_end_by == began + 90s);

    using all = timeout<30s, retrying<fixed, tries<3>, budget<1h>>>;
    stack_of<all> t{all{}};
    t.result = failure();
    CHECK_FALSE(t.leave(began + 30s - fixed{}.every));  // the pause would end at the timeout
    CHECK(t.scope.must_end_by == began + 30s);
}

TEST_CASE("an exception of a decorator reaches the caller, and the other decorators are destroyed",
          "[compose][decorator_stack]") {
    calls.clear();
    using broken = recording<'a', throwing>;
    {
        stack_of<broken> s{broken{}};
        CHECK_THROWS_WITH(s.leave(began), "a broken decorator");
    }
    CHECK(calls == std::vector<std::string>{"+a", "~a"});
}

}  // namespace unit_compose_decorator_stack
