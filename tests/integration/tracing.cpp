#include <pgq/async_worker.hpp>
#include <pgq/backoff/none.hpp>
#include <pgq/driver/asio_libpq.hpp>
#include <pgq/executor/coroutine.hpp>
#include <pgq/executor/process.hpp>
#include <pgq/observer/span_collector.hpp>
#include <pgq/observer/tracing.hpp>
#include <pgq/queue.hpp>
#include <pgq/worker.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>

#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace integration_tracing {

using pgq::observer::span_collector;
using pgq::observer::trace_relation;
using test::letter;
using test::note;

namespace {

using tracer = pgq::observer::tracing<span_collector>;
using traced_queue = pgq::queue<note, letter, pgq::driver::libpq, pgq::serializer::json, pgq::backoff::none,
                                pgq::executor::thread_pool, tracer>;
using coroutine_queue = pgq::queue<note, letter, pgq::driver::asio_libpq, pgq::serializer::json, pgq::backoff::none,
                                   pgq::executor::coroutine, tracer>;

traced_queue make(const test::database& db, const span_collector& spans, pgq::observer::tracing_options o = {}) {
    return traced_queue{db.driver(), {}, pgq::executor::thread_pool{}, tracer{spans, o}};
}
pgq::worker_options usual() { return {.max_attempts = 3, .until = pgq::run_until::empty}; }

// All jobs that wait and have this span as their context.
std::int64_t jobs_of(const test::database& db, const pgq::observer::collected_span& s) {
    const std::string text{pgq::trace::traceparent{s.context}.text()};
    return db.query_int("SELECT count(*) FROM " + db.schema() + ".ready WHERE headers ->> 'traceparent' = '" + text +
                        "'");
}

// A handler that is a coroutine: see docs/guides/tracing.md.
coroutine_queue* app_jobs = nullptr;

asio::awaitable<void> pass_on(const note& n, pgq::context& c) {
    const pgq::trace::headers here{*c.trace()};
    co_await app_jobs->async_enqueue(letter{n.n}, {.headers = here}, asio::use_awaitable);
}

}  // namespace

TEST_CASE("the trace of a job goes through the database, retries and a child job", "[observer][tracing]") {
    const test::database db;
    const span_collector spans;
    auto jobs = make(db, spans, {.relation = trace_relation::parent});
    jobs.enqueue(note{1, ""}).value();
    test::run_until_empty(
        jobs, usual(),
        [&](const note&, pgq::context& c) {
            if (c.attempt() == 1) throw std::runtime_error{"first"};
            jobs.enqueue(letter{2}).value();
        },
        [](const letter&) {});
    CHECK(draw_spans(spans.spans()) ==
          "send note (producer, job 1)\n"
          "|-- process note (consumer, job 1, attempt 1, retry) error: first\n"
          "`-- process note (consumer, job 1, attempt 2, done)\n"
          "    `-- send letter (producer, job 2)\n"
          "        `-- process letter (consumer, job 2, attempt 1, done)\n");
}

TEST_CASE("each way to enqueue stores the context of its span", "[observer][tracing]") {
    const test::database db;
    const span_collector spans;
    auto jobs = make(db, spans);
    jobs.lanes().value();
    std::int64_t count = 1;
    SECTION("one job") { jobs.enqueue(note{1, ""}).value(); }
    SECTION("many jobs") {
        count = 100;
        jobs.enqueue(test::notes(count)).value();
    }
    SECTION("a tracked job") { jobs.enqueue(note{1, ""}, {.unique_key = "k"}).value(); }
    SECTION("a flow") {
        count = 2;
        auto flow = jobs.flow();
        flow.add(note{1, ""});
        flow.add(letter{1});
        flow.enqueue().value();
    }
    SECTION("a transaction of the queue") {
        jobs.transaction([](auto& tx) { return tx.enqueue(note{1, ""}); }).value();
    }
    SECTION("the caller's transaction") { jobs.enqueue(pgq::within(db.connection()), note{1, ""}).value(); }
    const auto all = spans.spans();
    REQUIRE(all.size() == 1);
    CHECK(jobs_of(db, all[0]) == count);
    CHECK(db.rows("ready") == count);
}

TEST_CASE("a handler's transaction is in the span of its attempt", "[observer][tracing]") {
    const test::database db;
    const span_collector spans;
    auto jobs = make(db, spans);
    jobs.enqueue(note{1, ""}).value();
    test::run_until_empty(
        jobs, usual(), [](const note&, pgq::transaction<traced_queue>& tx) { tx.enqueue(letter{2}).value(); },
        [](const letter&) {});
    CHECK(draw_spans(spans.spans()) ==
          "send note (producer, job 1)\n"
          "`.. process note (consumer, job 1, attempt 1, done)\n"
          "    `-- send letter (producer, job 2)\n"
          "        `.. process letter (consumer, job 2, attempt 1, done)\n");
}

TEST_CASE("a context goes before packs, unless the tracer says otherwise", "[observer][tracing][packs]") {
    const test::database db;
    const span_collector spans;
    const bool without = GENERATE(false, true);
    auto jobs = make(db, spans, {.packs_without_trace = without});
    jobs.enqueue(test::notes(50), {.packed = true}).value();
    CHECK(db.rows("pack") == (without ? 1 : 0));
    CHECK(db.rows("ready") == (without ? 0 : 50));
    CHECK(spans.spans().at(0).attribute("messaging.pgq.packed") == (without ? "true" : "false"));
}

TEST_CASE("a stream is a span whose context no job has", "[observer][tracing]") {
    const test::database db;
    const span_collector spans;
    auto jobs = make(db, spans);
    CHECK(jobs.enqueue_stream(test::notes(200)).value() == 200);
    const auto all = spans.spans();
    REQUIRE(all.size() == 1);
    CHECK(all[0].kind == pgq::observer::span_kind::client);
    CHECK(all[0].attribute("messaging.batch.message_count") == "200");
    CHECK(db.query_int("SELECT count(*) FROM " + db.schema() + ".ready WHERE headers IS NOT NULL") == 0);
}

TEST_CASE("a coroutine names its context, and the jobs that it enqueues carry it",
          "[observer][tracing][async_enqueue]") {
    const test::database db;
    const span_collector spans;
    test::running_context context;
    coroutine_queue queue{pgq::driver::asio_libpq{context.executor(), db.options()},
                          {},
                          pgq::executor::coroutine{context.executor(), 4},
                          tracer{spans}};
    app_jobs = &queue;
    queue.async_enqueue(note{1, ""}, asio::use_future).get();
    pgq::async_worker w{queue, usual(), pass_on, [](const letter&) {}};
    w.async_run(asio::use_future).get();
    CHECK(draw_spans(spans.spans()) ==
          "create note (producer)\n"
          "`.. process note (consumer, job 1, attempt 1, done)\n"
          "    |-- create letter (client)\n"
          "    `.. process letter (consumer, job 2, attempt 1, done)\n");
    app_jobs = nullptr;
}

TEST_CASE("the process of a handler shows the span of its attempt", "[observer][tracing][process]") {
    const test::database db;
    const span_collector spans;
    using process_queue =
        pgq::queue<note, pgq::driver::libpq, pgq::serializer::json, pgq::backoff::none, pgq::executor::process, tracer>;
    process_queue jobs{db.driver(), {}, process_queue::executor_type{}, tracer{spans}};
    jobs.enqueue(note{1, ""}).value();
    test::run_until_empty(jobs, usual(), [](const note&, pgq::context& c) -> pgq::outcome {
        return pgq::hold{std::string{pgq::trace::traceparent{*c.trace()}.text()}};
    });
    const auto all = spans.spans();
    REQUIRE(all.size() == 2);
    CHECK(all[1].message == pgq::trace::traceparent{all[1].context}.text());
}

}  // namespace integration_tracing
