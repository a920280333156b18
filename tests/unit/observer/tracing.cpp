#include <pgq/backoff/none.hpp>
#include <pgq/delivery/at_most_once.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/coroutine.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/executor/retrying.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/observer/all_of.hpp>
#include <pgq/observer/counters.hpp>
#include <pgq/observer/span_collector.hpp>
#include <pgq/observer/tracing.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/jobs.hpp"

#include <asio/awaitable.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace unit_observer_tracing {

namespace tracing_jobs {

// The type of an older program that enqueues into the lane of test::note.
struct old_note {
    static constexpr std::string_view entrypoint = "note";
    std::string n{};
};

}  // namespace tracing_jobs

}  // namespace unit_observer_tracing

BOOST_HANA_ADAPT_STRUCT(unit_observer_tracing::tracing_jobs::old_note, n);

namespace unit_observer_tracing {

using namespace pgq;
using observer::collected_span;
using observer::span_collector;
using observer::trace_relation;
using observer::tracing_options;
using test::letter;
using test::note;

namespace {

using tracer_type = observer::tracing<span_collector>;
template <class Executor = executor::in_place, class... More>
using traced_queue =
    queue<note, letter, driver::memory, serializer::json, backoff::none, Executor, tracer_type, More...>;

template <class Queue = traced_queue<>>
Queue make(const span_collector& spans, tracing_options options = {}) {
    return Queue{{}, {}, typename Queue::executor_type{}, tracer_type{spans, options}};
}
worker_options usual() { return {.max_attempts = 2, .until = run_until::empty}; }

collected_span only(const span_collector& spans) {
    const auto all = spans.spans();
    REQUIRE(all.size() == 1);
    return all[0];
}
std::optional<trace::context> given() {
    return trace::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "vendor=1");
}
void nothing(const letter&) {}

// Without a tracer there is nothing: no member of an attempt, no header.
static_assert(std::is_empty_v<pgq::detail::attempt_trace<observer::none>>);
static_assert(tracer<tracer_type> && has_tracer<tracer_type>);
static_assert(has_tracer<observer::all_of<observer::counters, tracer_type>>);
static_assert(has_tracer<observer::all_of<observer::all_of<observer::none, tracer_type>, observer::counters>>);
static_assert(!has_tracer<observer::none> && !has_tracer<observer::all_of<observer::counters>>);
static_assert(has_tracers<observer::all_of<tracer_type, observer::tracing<observer::span_collector>>>);

}  // namespace

TEST_CASE("a trace goes from a producer through two attempts to a child job", "[observer][tracing]") {
    span_collector spans;
    auto relation = trace_relation::links;
    std::string picture =
        "send note (producer, job 1)\n"
        "|.. process note (consumer, job 1, attempt 1, retry) error: first\n"
        "`.. process note (consumer, job 1, attempt 2, done)\n"
        "    `-- send letter (producer, job 2)\n"
        "        `.. process letter (consumer, job 2, attempt 1, done)\n";
    SECTION("each attempt has a trace of its own, which links to the send span") {}
    SECTION("or all are one trace") {
        relation = trace_relation::parent;
        picture =
            "send note (producer, job 1)\n"
            "|-- process note (consumer, job 1, attempt 1, retry) error: first\n"
            "`-- process note (consumer, job 1, attempt 2, done)\n"
            "    `-- send letter (producer, job 2)\n"
            "        `-- process letter (consumer, job 2, attempt 1, done)\n";
    }
    auto jobs = make(spans, {.relation = relation});
    jobs.enqueue(note{1, "x"}).value();
    test::run_until_empty(
        jobs, usual(),
        [&](const note&, context& c) {
            if (c.attempt() == 1) throw std::runtime_error{"first"};
            jobs.enqueue(letter{2}).value();
        },
        nothing);
    CHECK(draw_spans(spans.spans()) == picture);

    const auto all = spans.spans();
    REQUIRE(all.size() == 5);
    std::vector<trace::trace_id> traces;
    for (const auto& s : all)
        if (std::find(traces.begin(), traces.end(), s.context.trace) == traces.end()) traces.push_back(s.context.trace);
    CHECK(traces.size() == (relation == trace_relation::links ? 4 : 1));
    for (const auto& s : all) CHECK(s.context.is_valid());
}

TEST_CASE("the span of an enqueue says what OpenTelemetry's messaging conventions ask for", "[observer][tracing]") {
    span_collector spans;
    traced_queue<> jobs{{}, {.name = "tenant"}, {}, tracer_type{spans}};
    const auto id = jobs.enqueue(note{1, "x"}).value().id();
    const auto s = only(spans);
    CHECK(s.name == "send note");
    CHECK(s.kind == observer::span_kind::producer);
    CHECK_FALSE(s.parent.is_set());
    CHECK(s.links.empty());
    CHECK_FALSE(s.failed);
    CHECK(s.duration > duration{});
    using attributes = std::vector<std::pair<std::string, std::string>>;
    CHECK(s.attributes == attributes{{"messaging.system", "pgq"},
                                     {"messaging.operation.name", "send"},
                                     {"messaging.operation.type", "send"},
                                     {"messaging.destination.name", "note"},
                                     {"messaging.pgq.queue", "tenant"},
                                     {"messaging.message.id", std::to_string(id.value)}});

    spans.clear();
    test::run_until_empty(
        jobs, usual(), [](const note&) {}, nothing);
    CHECK(only(spans).name == "process note");
    CHECK(only(spans).kind == observer::span_kind::consumer);
    CHECK(only(spans).attributes == attributes{{"messaging.system", "pgq"},
                                               {"messaging.operation.name", "process"},
                                               {"messaging.operation.type", "process"},
                                               {"messaging.destination.name", "note"},
                                               {"messaging.pgq.queue", "tenant"},
                                               {"messaging.message.id", std::to_string(id.value)},
                                               {"messaging.pgq.attempt", "1"},
                                               {"messaging.pgq.outcome", "done"}});
    REQUIRE(only(spans).links.size() == 1);
    CHECK(only(spans).links[0].to == s.context);
    CHECK(only(spans).links[0].job == id);
}

TEST_CASE("the jobs of one call share its span", "[observer][tracing]") {
    span_collector spans;
    auto jobs = make(spans);
    SECTION("a range") { jobs.enqueue(test::notes(3)).value(); }
    SECTION("a list") { jobs.enqueue({note{0, ""}, note{1, ""}, note{2, ""}}).value(); }
    SECTION("with options for each job") {
        jobs.enqueue(test::notes(3), [](const note& n) { return enqueue_options{.priority = static_cast<int>(n.n)}; })
            .value();
    }
    SECTION("a flow") {
        auto flow = jobs.flow();
        auto first = flow.add(note{0, ""});
        flow.add(note{1, ""}).after(first);
        flow.add(note{2, ""}, {.headers = {{"tenant", "acme"}}});
        flow.enqueue().value();
    }
    SECTION("a transaction") {
        jobs.transaction([](auto& tx) { return tx.enqueue(test::notes(3)); }).value();
    }
    const auto sent = only(spans);
    CHECK(sent.name == "send note");
    CHECK(sent.attribute("messaging.batch.message_count") == "3");
    CHECK(sent.attribute("messaging.message.id").empty());
    int right = 0;
    test::run_until_empty(
        jobs, usual(),
        [&](const note&, context& c) {
            const auto created = c.creation_trace();
            if (created && created->trace == sent.context.trace && created->span == sent.context.span) ++right;
        },
        nothing);
    CHECK(right == 3);
}

TEST_CASE("the span of a flow of several types has no destination", "[observer][tracing]") {
    span_collector spans;
    auto jobs = make(spans);
    jobs.chain(note{1, ""}).then(letter{2}).enqueue().value();
    CHECK(only(spans).name == "send");
    CHECK(only(spans).attribute("messaging.destination.name").empty());
}

TEST_CASE("a call is a child of the current context of its thread", "[observer][tracing]") {
    span_collector spans;
    auto jobs = make(spans);
    {
        const trace::scope here{*given()};
        jobs.enqueue(note{1, ""}).value();
    }
    const auto s = only(spans);
    CHECK(s.parent == given()->span);
    CHECK(s.context.trace == given()->trace);
    CHECK(s.state == "vendor=1");
    test::run_until_empty(
        jobs, usual(), [&](const note&, context& c) { CHECK(c.header_value("tracestate") == "vendor=1"); }, nothing);
}

TEST_CASE("a traceparent of the caller stays as it is", "[observer][tracing]") {
    span_collector spans;
    auto jobs = make(spans);
    const trace::headers own{*given()};
    SECTION("in a call, whose span is a child of it") {
        jobs.enqueue(note{1, ""}, {.headers = own}).value();
        CHECK(only(spans).parent == given()->span);
        CHECK(only(spans).kind == observer::span_kind::client);  // its context is not the jobs'
    }
    SECTION("of one job of several") {
        const auto options_of = [&](const note& n) {
            return n.n == 1 ? enqueue_options{.headers = own} : enqueue_options{};
        };
        jobs.enqueue(test::notes(2), options_of).value();
        CHECK_FALSE(only(spans).parent.is_set());
    }
    bool seen = false;
    test::run_until_empty(
        jobs, usual(),
        [&](const note& n, context& c) {
            if (n.n == 1) seen = c.creation_trace() == given();
        },
        nothing);
    CHECK(seen);
}

TEST_CASE("headers that are no valid trace context are replaced, others stay", "[observer][tracing]") {
    span_collector spans;
    auto jobs = make(spans);
    jobs.enqueue(note{1, ""}, {.headers = {{"traceparent", "rubbish"}, {"tenant", "acme"}, {"tracestate", "old=1"}},
                               .max_attempts = 7})
        .value();
    test::run_until_empty(
        jobs, usual(),
        [&](const note&, context& c) {
            CHECK(c.header_value("tenant") == "acme");
            CHECK_FALSE(c.header_value("tracestate"));
            CHECK(c.creation_trace()->span == spans.spans().at(0).context.span);
        },
        nothing);
}

TEST_CASE("a call that fails is a span with the error", "[observer][tracing]") {
    span_collector spans;
    auto jobs = make(spans);
    CHECK_FALSE(jobs.enqueue(note{1, ""}, {.headers = {{"bad", std::string_view{"\0", 1}}}}));
    CHECK(only(spans).failed);
    CHECK(only(spans).attribute("error.type").substr(0, 4) == "pgq:");
    CHECK_FALSE(only(spans).message.empty());

    spans.clear();
    const auto throws = [](const note&) -> enqueue_options { throw std::runtime_error{"no options"}; };
    CHECK_THROWS_AS(jobs.enqueue(test::notes(2), throws), std::runtime_error);
    CHECK(only(spans).failed);
}

TEST_CASE("the span of an attempt ends with its outcome", "[observer][tracing]") {
    span_collector spans;
    auto jobs = make(spans);
    jobs.enqueue(note{1, ""}).value();
    spans.clear();
    const auto run = [&](auto handler) {
        test::run_until_empty(jobs, {.max_attempts = 2, .until = run_until::empty}, handler, nothing);
        return spans.spans();
    };
    SECTION("done") {
        CHECK_FALSE(run([](const note&) {}).at(0).failed);
        CHECK(spans.spans()[0].attribute("error.type").empty());
    }
    SECTION("retry, then held because it was the last attempt") {
        const auto all = run([](const note&) { throw std::runtime_error{"why"}; });
        REQUIRE(all.size() == 2);
        CHECK(all[0].failed);
        CHECK(all[0].attribute("error.type") == "retry");
        CHECK(all[0].message == "why");
        CHECK(all[1].attribute("messaging.pgq.outcome") == "hold");
        CHECK(all[1].message.find("attempt 2 of 2 failed: why") != std::string::npos);
        CHECK(all[1].attribute("messaging.pgq.attempt") == "2");
    }
    SECTION("discard is no error") {
        const auto all = run([](const note&) -> outcome { return discard{"not needed"}; });
        CHECK_FALSE(all.at(0).failed);
        CHECK(all.at(0).attribute("messaging.pgq.outcome") == "discard");
        CHECK(all.at(0).message == "not needed");
    }
    SECTION("a long reason is cut between two characters") {
        const std::string umlauts = [] {
            std::string s = "x";
            for (int i = 0; i < 600; ++i) s += "\xc3\xa4";
            return s;
        }();
        CHECK(run([&](const note&) -> outcome { return hold{umlauts}; }).at(0).message == umlauts.substr(0, 999));
    }
}

TEST_CASE("the attempts of a job that cannot be read are spans, too", "[observer][tracing]") {
    span_collector spans;
    driver::memory store;
    traced_queue<> jobs{store, {}, {}, tracer_type{spans}};
    queue<tracing_jobs::old_note, driver::memory, serializer::json> old{store};
    old.enqueue(tracing_jobs::old_note{"two"}).value();
    test::run_until_empty(
        jobs, usual(), [](const note&) {}, nothing);
    CHECK(only(spans).attribute("error.type") == "hold");
    CHECK(only(spans).message.starts_with("the payload cannot be read"));
    CHECK(only(spans).links.empty());
}

TEST_CASE("all tries of an attempt are one span", "[observer][tracing]") {
    span_collector spans;
    auto jobs = make<traced_queue<executor::retrying<backoff::none, executor::in_place>>>(spans);
    jobs.enqueue(note{1, ""}).value();
    spans.clear();
    int tries = 0;
    std::vector<trace::context> seen;
    test::run_until_empty(
        jobs, usual(),
        [&](const note&, context& c) {
            seen.push_back(*c.trace());
            CHECK(*trace::current() == *c.trace());
            if (++tries < 3) throw std::runtime_error{"again"};
        },
        nothing);
    CHECK(tries == 3);
    REQUIRE(seen.size() == 3);
    CHECK(seen[0] == seen[2]);
    CHECK(only(spans).context.span == seen[0].span);
    CHECK(only(spans).attribute("messaging.pgq.outcome") == "done");
    CHECK(trace::current() == nullptr);
}

TEST_CASE("a batch is one span that links to the calls of all its jobs", "[observer][tracing]") {
    span_collector spans;
    auto relation = GENERATE(trace_relation::links, trace_relation::parent);
    auto jobs = make(spans, {.relation = relation});
    jobs.enqueue(note{1, ""}).value();
    jobs.enqueue(note{2, ""}).value();
    const auto sent = spans.spans();
    spans.clear();
    bool shown = false;
    worker_options once = usual();
    once.max_attempts = 1;
    test::run_until_empty(
        jobs, once,
        [&](std::span<const note> some, batch_context& c) {
            const trace::context* const now = trace::current();
            shown = now != nullptr && c.trace() == *now && c[0].trace() == *now && c[1].trace() == *now &&
                    c[1].creation_trace()->span == sent[1].context.span;
            outcomes all(some.size());
            all[1] = hold{"bad"};
            return all;
        },
        nothing);
    CHECK(shown);
    const auto s = only(spans);
    CHECK(s.attribute("messaging.batch.message_count") == "2");
    CHECK(s.attribute("messaging.message.id").empty());
    CHECK(s.attribute("messaging.pgq.outcome") == "hold");
    CHECK(s.failed);
    CHECK(s.message == "bad");
    CHECK_FALSE(s.parent.is_set());
    REQUIRE(s.links.size() == 2);
    CHECK(s.links[0].to == sent[0].context);
    CHECK(s.links[1].to == sent[1].context);
    CHECK(s.links[0].job != s.links[1].job);
}

TEST_CASE("the context of a batch shows its span in a coroutine, too", "[observer][tracing][coroutine]") {
    span_collector spans;
    asio::io_context io;
    auto guard = asio::make_work_guard(io);
    std::jthread thread{[&] { io.run(); }};
    using coroutine_queue = traced_queue<executor::coroutine>;
    coroutine_queue jobs{{}, {}, executor::coroutine{io.get_executor(), 4}, tracer_type{spans}};
    jobs.enqueue(test::notes(3)).value();
    spans.clear();
    std::vector<trace::context> shown;
    test::run_until_empty(
        jobs, usual(),
        [&](std::span<const note>, batch_context& c) -> asio::awaitable<void> {
            co_await asio::post(io, asio::use_awaitable);
            shown = {*c.trace(), *c[0].trace(), *c[2].trace()};
        },
        nothing);
    guard.reset();
    REQUIRE(shown.size() == 3);
    for (const auto& c : shown) CHECK(c == only(spans).context);
}

TEST_CASE("a batch has at most 128 links", "[observer][tracing]") {
    span_collector spans;
    auto jobs = make(spans);
    jobs.enqueue(test::notes(200)).value();
    spans.clear();
    worker_options wide = usual();
    wide.max_batch = 200;
    wide.max_prefetch = 200;
    test::run_until_empty(
        jobs, wide, [&](std::span<const note>) {}, nothing);
    std::size_t most = 0;
    for (const auto& s : spans.spans()) most = std::max(most, s.links.size());
    CHECK(most == 128);
}

TEST_CASE("the share of sampled traces decides where nothing else does", "[observer][tracing]") {
    span_collector spans;
    SECTION("none") {
        auto jobs = make(spans, {.sampled_share = 0});
        jobs.enqueue(note{1, ""}).value();
        test::run_until_empty(
            jobs, usual(),
            [](const note&, context& c) {
                CHECK(c.creation_trace()->is_valid());
                CHECK_FALSE(c.creation_trace()->sampled);
                CHECK_FALSE(c.trace()->sampled);
            },
            nothing);
        CHECK(spans.spans().empty());

        auto sampled = *given();
        const trace::scope here{sampled};
        jobs.enqueue(note{1, ""}).value();
        test::run_until_empty(
            jobs, usual(), [](const note&) {}, nothing);
        CHECK(spans.spans().size() == 2);  // the parent, and then the link, say so
    }
    SECTION("a quarter") {
        auto jobs = make(spans, {.sampled_share = 0.25});
        for (int i = 0; i < 4000; ++i) jobs.enqueue(letter{i}).value();
        CHECK(spans.spans().size() > 800);
        CHECK(spans.spans().size() < 1200);
    }
}

TEST_CASE("a call for packs says whether its jobs are in packs", "[observer][tracing]") {
    span_collector spans;
    bool without = false;
    SECTION("a trace goes before packs") {}
    SECTION("unless the tracer says otherwise") { without = true; }
    auto jobs = make(spans, {.packs_without_trace = without});
    jobs.enqueue(test::notes(20), {.packed = true}).value();
    CHECK(only(spans).attribute("messaging.pgq.packed") == (without ? "true" : "false"));
    std::size_t with_context = 0;
    test::run_until_empty(
        jobs, usual(), [&](const note&, context& c) { with_context += c.creation_trace().has_value(); }, nothing);
    CHECK(with_context == (without ? 0 : 20));
}

TEST_CASE("the handler's thread has the span of its attempt, on every thread", "[observer][tracing]") {
    span_collector spans;
    auto jobs = make<traced_queue<executor::thread_pool>>(spans);
    jobs.enqueue(test::notes(200)).value();
    std::atomic<int> right{0};
    test::run_until_empty(
        jobs, usual(),
        [&](const note&, context& c) {
            if (trace::current() != nullptr && *trace::current() == c.trace()) ++right;
        },
        nothing);
    CHECK(right == 200);
    CHECK(spans.spans().size() == 201);
}

TEST_CASE("an at-most-once job has one span", "[observer][tracing]") {
    span_collector spans;
    auto jobs = make<traced_queue<executor::in_place, delivery::at_most_once>>(spans);
    jobs.enqueue(note{1, ""}).value();
    test::run_until_empty(
        jobs, usual(), [](const note&) { throw std::runtime_error{"once"}; }, nothing);
    REQUIRE(spans.spans().size() == 2);
    CHECK(spans.spans()[1].failed);
}

TEST_CASE("a tracer works as a part of all_of", "[observer][tracing]") {
    using both = observer::all_of<observer::counters, tracer_type>;
    span_collector spans;
    const observer::counters seen;
    queue<note, driver::memory, serializer::json, backoff::none, executor::in_place, both> jobs{
        {}, {}, {}, both{seen, tracer_type{spans}}};
    jobs.enqueue(note{1, ""}).value();
    test::run_until_empty(jobs, usual(), [](const note&) {});
    CHECK(spans.spans().size() == 2);
    CHECK(seen.snapshot().of<event::job_finished>() == 1);
}

TEST_CASE("without a tracer a job gets no headers, and its context shows those of the caller", "[observer][tracing]") {
    queue<note, driver::memory, serializer::json, executor::in_place> jobs;
    jobs.enqueue(note{1, ""}).value();
    jobs.enqueue(note{2, ""}, {.headers = trace::headers{*given()}}).value();
    test::run_until_empty(jobs, usual(), [](const note& n, context& c) {
        CHECK(c.trace().has_value() == (n.n == 2));
        CHECK(c.headers().size() == (n.n == 2 ? 2 : 0));
        CHECK(trace::current() == nullptr);
    });
}

}  // namespace unit_observer_tracing
