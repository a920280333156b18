#include <pgq/handler/handler_set.hpp>

#include "compile_fail/fakes.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <concepts>
#include <functional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace unit_handler_handler_set {

namespace {

using namespace std::chrono_literals;
using fakes::mail;
using fakes::picture;
using kind = pgq::outcome::kind;

using composed = pgq::checked<mail, picture, fakes::driver, fakes::serializer>::composition_type;
using only_mail = pgq::checked<mail, fakes::driver, fakes::serializer>::composition_type;

template <class Composition = composed, class... Handlers>
auto set_of(Handlers... handlers) {
    return pgq::handler_set<Composition, Handlers...>{std::move(handlers)...};
}

/// An attempt for handlers to run in.
struct attempt {
    pgq::job_record record{.id = pgq::job_id{42}, .attempt = 3};
    pgq::resources shared{};
    pgq::context context{record, {}, shared};
};

std::vector<std::string> seen;  // by the handlers that cannot capture
void free_function(const mail& m) { seen.push_back(m.to); }
void free_function_that_never_throws(const mail& m, pgq::context&) noexcept { seen.push_back(m.to + "!"); }

struct overloaded {
    int pictures = 0;
    void operator()(const mail&, pgq::context&) { seen.push_back("overload"); }
    int operator()(const picture& p) {
        ++pictures;
        return p.edge;
    }
};

}  // namespace

TEST_CASE("each job goes to the handler that takes it", "[handler][handler_set]") {
    attempt a;
    int mails = 0;
    int pictures = 0;
    auto handlers = set_of([&](const picture&) { ++pictures; }, [&](const mail&, pgq::context&) { ++mails; });
    CHECK(handlers.invoke(mail{}, a.context).what() == kind::done);
    CHECK(mails == 1);
    CHECK(pictures == 0);
    CHECK(handlers.invoke(picture{}, a.context).what() == kind::done);
    CHECK(pictures == 1);
}

TEST_CASE("a handler sees the job and the attempt it is called for", "[handler][handler_set]") {
    attempt a;
    auto handlers = set_of<only_mail>([](const mail& m, pgq::context& c) {
        CHECK(m.to == "ada");
        CHECK(c.id() == pgq::job_id{42});
        CHECK(c.attempt() == 3);
    });
    (void)handlers.invoke(mail{"ada"}, a.context);
}

TEST_CASE("a generic handler takes every job that no constraint keeps from it", "[handler][handler_set]") {
    attempt a;
    int calls = 0;
    auto all = set_of([&](const auto&) { ++calls; });
    (void)all.invoke(mail{}, a.context);
    (void)all.invoke(picture{}, a.context);
    CHECK(calls == 2);

    auto rest = set_of([&](const mail&) { calls = 100; }, [&]<class Job>(const Job&) requires(
                                                              !std::same_as<Job, mail>) { calls = 200; });
    (void)rest.invoke(mail{}, a.context);
    CHECK(calls == 100);
    (void)rest.invoke(picture{}, a.context);
    CHECK(calls == 200);
}

TEST_CASE("functions and std::function are handlers", "[handler][handler_set]") {
    attempt a;
    seen.clear();
    auto plain = set_of<only_mail>(&free_function);
    (void)plain.invoke(mail{"ada"}, a.context);
    auto with_context = set_of<only_mail>(free_function_that_never_throws);
    (void)with_context.invoke(mail{"bob"}, a.context);
    auto stored = set_of<only_mail>(std::function<void(const mail&)>{free_function});
    (void)stored.invoke(mail{"cyd"}, a.context);
    CHECK(seen == std::vector<std::string>{"ada", "bob!", "cyd"});
}

TEST_CASE("a mutable lambda keeps its state from job to job", "[handler][handler_set]") {
    attempt a;
    auto handlers = set_of<only_mail>([n = 0](const mail&) mutable -> pgq::outcome {
        if (++n == 2) return pgq::discard{"second"};
        return pgq::done{};
    });
    CHECK(handlers.invoke(mail{}, a.context).what() == kind::done);
    CHECK(handlers.invoke(mail{}, a.context).what() == kind::discard);
}

TEST_CASE("one object with an overload for each job handles them all", "[handler][handler_set]") {
    attempt a;
    seen.clear();
    overloaded object;
    auto handlers = set_of(std::ref(object));
    (void)handlers.invoke(mail{}, a.context);
    (void)handlers.invoke(picture{}, a.context);
    CHECK(seen == std::vector<std::string>{"overload"});
    CHECK(object.pictures == 1);
}

TEST_CASE("where a handler can be called with and without a context it gets one", "[handler][handler_set]") {
    struct two_forms {
        pgq::outcome operator()(const mail&) const { return pgq::discard{}; }
        pgq::outcome operator()(const mail&, pgq::context&) const { return pgq::hold{}; }
    };
    attempt a;
    auto handlers = set_of<only_mail>(two_forms{});
    CHECK(handlers.invoke(mail{}, a.context).what() == kind::hold);
}

TEST_CASE("what a handler returns becomes the outcome", "[handler][handler_set]") {
    attempt a;
    const auto outcome_of = [&](auto handler) { return set_of<only_mail>(handler).invoke(mail{}, a.context); };
    CHECK(outcome_of([](const mail&) {}).what() == kind::done);
    CHECK(outcome_of([](const mail&) { return pgq::done{}; }).what() == kind::done);
    CHECK(outcome_of([](const mail&) { return pgq::snooze{1min}; }).delay() == 1min);

    const auto retry = outcome_of([](const mail&) { return pgq::retry_after{2s, "busy"}; });
    CHECK(retry.what() == kind::retry);
    CHECK(retry.delay() == 2s);
    CHECK(retry.reason() == "busy");

    using only_picture = pgq::checked<picture, fakes::driver, fakes::serializer>::composition_type;
    auto with_result = set_of<only_picture>([](const picture& p) { return p.edge; });
    CHECK(with_result.invoke(picture{9}, a.context).what() == kind::done);
}

TEST_CASE("what a handler throws goes to the caller", "[handler][handler_set]") {
    attempt a;
    auto handlers = set_of<only_mail>([](const mail&) { throw std::runtime_error{"no"}; });
    CHECK_THROWS_AS(handlers.invoke(mail{}, a.context), std::runtime_error);
}

TEST_CASE("a handler that is a coroutine is recognized, and its awaitable is returned as it is",
          "[handler][handler_set]") {
    using coroutines =
        pgq::checked<mail, picture, fakes::driver, fakes::serializer, fakes::coroutine_executor>::composition_type;
    attempt a;
    auto handlers = set_of<coroutines>([](const mail&) { return fakes::awaitable<pgq::outcome>{}; },
                                       [](const picture&) { return pgq::done{}; });
    using set = decltype(handlers);
    static_assert(set::any_coroutine);
    static_assert(set::call_of<mail>::is_coroutine && !set::call_of<picture>::is_coroutine);
    static_assert(std::is_same_v<set::call_of<mail>::returned, pgq::outcome>);
    const auto raw = pgq::call_handler<mail>(handlers.handler_for<mail>(), mail{}, a.context);
    static_assert(std::is_same_v<decltype(raw), const fakes::awaitable<pgq::outcome>>);
    CHECK(pgq::to_outcome<mail, fakes::serializer>(pgq::retry_after{1s}).what() == kind::retry);
    CHECK(pgq::to_outcome<picture, fakes::serializer>(7).what() == kind::done);
}

TEST_CASE("handlers without state take no room", "[handler][handler_set]") {
    constexpr auto first = [](const mail&) {};
    constexpr auto second = [](const picture&) {};
    CHECK(sizeof(set_of(first, second)) == 1);
}

}  // namespace unit_handler_handler_set
