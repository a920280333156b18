#include <pgq/handler/invoke.hpp>
#include <pgq/handler/signature.hpp>
#include <pgq/transaction/transaction.hpp>

#include "compile_fail/fakes.hpp"
#include "support/catch.hpp"

#include <concepts>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace unit_handler_signature {

// Which handler accepts which job, how it is called, and what its answer means.
namespace {

using fakes::mail;
using fakes::picture;
using composed = fakes::mail_queue::composition_type;
using transaction = pgq::basic_transaction<composed>;
using transaction_of_another_queue =
    pgq::basic_transaction<pgq::queue<picture, fakes::driver, fakes::serializer>::composition_type>;
using pgq::context;
using form = pgq::detail::handler_form;

// Callable with a picture through a conversion, which must not count.
struct drawing {
    int x = 0;
    operator picture() const { return {}; }
};

struct overloaded {
    void operator()(const mail&, context&) {}
    int operator()(const picture& p) { return p.edge; }
};

template <class Handler, class Job>
constexpr bool accepts = pgq::detail::accepts<Handler, Job>;

template <class Handler, class Job>
constexpr pgq::handler_result answer = pgq::handler_call<Handler, Job>::result;

constexpr auto by_reference = [](const picture&) {};
constexpr auto by_value = [](picture) {};
constexpr auto generic = [](const auto&) {};
constexpr auto forwarding = [](auto&&, auto&&) {};
constexpr auto constrained = [](const std::same_as<mail> auto&) {};
constexpr auto mutable_reference = [](picture&) {};

static_assert(accepts<decltype(by_reference), picture> && !accepts<decltype(by_reference), drawing>);
static_assert(accepts<decltype(by_value), picture> && !accepts<decltype(by_value), drawing>);
static_assert(accepts<decltype(generic), picture> && accepts<decltype(generic), mail>);
static_assert(accepts<decltype(forwarding), picture> && accepts<decltype(forwarding), mail>);
static_assert(accepts<decltype(constrained), mail> && !accepts<decltype(constrained), picture>);
static_assert(!accepts<decltype(mutable_reference), picture>);
static_assert(accepts<overloaded, picture> && accepts<overloaded, mail> && !accepts<overloaded, drawing>);
static_assert(accepts<std::function<void(const picture&)>, picture>);
static_assert(!accepts<std::function<void(const picture&)>, drawing>);
static_assert(accepts<std::reference_wrapper<overloaded>, mail>);
static_assert(accepts<void (*)(const mail&), mail> && accepts<void (*)(const mail&, pgq::context&) noexcept, mail>);
static_assert(!accepts<int, mail> && !accepts<void (*)(), mail> && !accepts<void (*)(const mail&, int), mail>);

static_assert(answer<void (*)(const mail&), mail> == pgq::handler_result::nothing);
static_assert(answer<pgq::outcome (*)(const mail&), mail> == pgq::handler_result::outcome);
static_assert(answer<pgq::retry_after (*)(const mail&), mail> == pgq::handler_result::outcome);
static_assert(answer<int (*)(const picture&), picture> == pgq::handler_result::value);
static_assert(answer<short (*)(const picture&), picture> == pgq::handler_result::value);
static_assert(answer<int (*)(const mail&), mail> == pgq::handler_result::unknown);
static_assert(answer<std::string (*)(const picture&), picture> == pgq::handler_result::unknown);
static_assert(answer<double (*)(const picture&), picture> == pgq::handler_result::narrowed);
static_assert(answer<long (*)(const picture&), picture> == pgq::handler_result::narrowed);
static_assert(answer<unsigned (*)(const picture&), picture> == pgq::handler_result::narrowed);
static_assert(answer<fakes::awaitable<int> (*)(const picture&), picture> == pgq::handler_result::value);
static_assert(answer<fakes::awaitable<void> (*)(const mail&), mail> == pgq::handler_result::nothing);

struct batches {
    void operator()(std::span<const mail>, pgq::batch_context&) {}
    pgq::outcomes operator()(std::span<const picture> some) { return pgq::outcomes(some.size()); }
};
constexpr auto of_mails = [](std::span<const mail>) {};
template <class Handler, class Job>
constexpr bool in_batches = pgq::handler_call<Handler, Job>::in_batches;

static_assert(accepts<decltype(of_mails), mail> && !accepts<decltype(of_mails), picture>);
static_assert(in_batches<decltype(of_mails), mail> && !in_batches<decltype(generic), mail>);
static_assert(in_batches<batches, mail> && in_batches<batches, picture>);
static_assert(pgq::handler_call<batches, mail>::with_context && !pgq::handler_call<batches, picture>::with_context);
static_assert(!accepts<void (*)(std::span<mail>), mail> && !accepts<void (*)(std::span<const mail>, int), mail>);
static_assert(accepts<void (*)(std::span<const mail>, const pgq::batch_context&), mail>);
static_assert(answer<batches, mail> == pgq::handler_result::nothing);
static_assert(answer<batches, picture> == pgq::handler_result::one_each);
static_assert(answer<pgq::hold (*)(std::span<const mail>), mail> == pgq::handler_result::outcome);
static_assert(answer<int (*)(std::span<const picture>), picture> == pgq::handler_result::unknown);

static_assert(pgq::is_awaitable<fakes::awaitable<void>>);
static_assert(!pgq::is_awaitable<std::vector<int>> && !pgq::is_awaitable<void> && !pgq::is_awaitable<pgq::outcome>);

// Each signature picks one way of being called.
template <class Handler>
constexpr form form_of = pgq::detail::form_of<Handler, mail, composed>();

static_assert(form_of<void (*)(const mail&)> == form::job);
static_assert(form_of<void (*)(mail)> == form::job);
static_assert(form_of<void (*)(const mail&, context&)> == form::job_and_context);
static_assert(form_of<void (*)(const mail&, const context&)> == form::job_and_context);
static_assert(form_of<void (*)(std::span<const mail>)> == form::batch);
static_assert(form_of<void (*)(std::span<const mail>, pgq::batch_context&)> == form::batch_and_context);
static_assert(form_of<void (*)(const mail&, transaction&)> == form::transaction);
static_assert(form_of<void (*)(const mail&, context&, transaction&)> == form::context_and_transaction);
static_assert(form_of<void (*)(const mail&, transaction&, context&)> == form::none);
static_assert(form_of<void (*)(mail&)> == form::none);
static_assert(form_of<void (*)(const mail&, pgq::batch_context&)> == form::none);
static_assert(form_of<void (*)(std::span<const mail>, context&)> == form::none);
static_assert(form_of<void (*)(const mail&, transaction_of_another_queue&)> == form::none);
static_assert(form_of<void (*)(const picture&)> == form::none);

// A generic handler is one for single jobs, with a context if it takes one.
static_assert(form_of<decltype([](const auto&) {})> == form::job);
static_assert(form_of<decltype([](const auto&, context&) {})> == form::job_and_context);
static_assert(form_of<decltype([](const auto&, auto&) {})> == form::job_and_context);
static_assert(form_of<decltype([](const mail&, transaction& tx) { return (void)tx.failed(); })> == form::transaction);

// One that is generic in batches is one for batches.
static_assert(form_of<decltype([]<class Job>(std::span<const Job>) {})> == form::batch);

// A function object that passes on its arguments takes what the function behind it takes, and no job that converts to
// it.
struct desk {
    void take(const mail&) {}
    int see(const mail&, const context&) { return 0; }
    void batch(std::span<const mail>) {}
    void settle(const mail&, transaction&) {}
    void other(const picture&) {}
};
template <class F>
using bound = decltype(std::bind_front(std::declval<F>(), std::declval<desk*>()));
static_assert(form_of<bound<decltype(&desk::take)>> == form::job);
static_assert(form_of<bound<decltype(&desk::see)>> == form::job_and_context);
static_assert(form_of<bound<decltype(&desk::batch)>> == form::batch);
static_assert(form_of<bound<decltype(&desk::settle)>> == form::transaction);
static_assert(form_of<bound<decltype(&desk::other)>> == form::none);
static_assert(accepts<bound<decltype(&desk::other)>, picture> && !accepts<bound<decltype(&desk::other)>, drawing>);

// Of several overloads one for single jobs goes before one for batches. Among those one with a context goes first.
struct with_and_without {
    void operator()(const mail&) {}
    void operator()(const mail&, context&) {}
};
struct single_and_batch {
    void operator()(const mail&) {}
    void operator()(std::span<const mail>) {}
};
struct both_transactions {
    void operator()(const mail&, transaction&) {}
    void operator()(const mail&, context&, transaction&) {}
};
static_assert(form_of<with_and_without> == form::job_and_context);
static_assert(form_of<single_and_batch> == form::job);
static_assert(form_of<both_transactions> == form::transaction);

// A worker finds the handler of each job, and how many there are.
constexpr auto of = pgq::detail::acceptors_of<composed, mail, void (*)(const picture&), overloaded, with_and_without>();
static_assert(of.count == 2 && of.first == 1 && of.second == 2);
static_assert(pgq::detail::acceptors_of<composed, mail, void (*)(const picture&)>().count == 0);

}  // namespace

TEST_CASE("a handler is called in the form of its signature", "[handler][invoke]") {
    pgq::job_record record{.id = pgq::job_id{42}};
    pgq::resources shared;
    context c{record, {}, shared};
    std::string called;
    const auto plain = [&](const mail& m) { called = m.to; };
    pgq::call_handler<mail>(plain, mail{"ada"}, c);
    CHECK(called == "ada");
    const auto with_context = [&](const mail&, const context& given) { called = std::to_string(given.id().value); };
    pgq::call_handler<mail>(with_context, mail{}, c);
    CHECK(called == "42");

    pgq::detail::queue_core<composed> core{{}, "q", std::chrono::hours{1}, composed::executor{}, composed::observer{}};
    fakes::session session;
    pgq::call_limit limit;
    transaction tx{core, session, {}, limit};
    const auto in_transaction = [&](const mail&, transaction& given) {
        called = &given == &tx ? "in it" : "elsewhere";
    };
    pgq::call_handler<composed>(in_transaction, mail{}, c, tx);
    CHECK(called == "in it");
}

TEST_CASE("a result that cannot be written holds its job with the reason", "[handler][invoke]") {
    struct refusing {
        pgq::result<void> write(int, std::string&) const { return pgq::errc::payload_too_large; }
        pgq::result<void> read(std::string_view, int&) const { return {}; }
    };
    const auto o = pgq::to_outcome<picture, refusing>(7);
    CHECK(o.what() == pgq::outcome::kind::hold);
    CHECK(o.reason().find("it is done, but its result cannot be written: ") == 0);
}

}  // namespace unit_handler_signature
