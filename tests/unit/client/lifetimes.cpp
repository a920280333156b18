#include <pgq/client/flow.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/error/errc.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/jobs.hpp"

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace unit_client_lifetimes {

using namespace std::chrono_literals;
using test::note;

namespace {

using memory_queue = pgq::queue<note, pgq::driver::memory, pgq::serializer::json, pgq::executor::in_place>;

pgq::worker_options until_empty() { return {.until = pgq::run_until::empty}; }

}  // namespace

TEST_CASE("a handle whose queue is gone returns errc::closed", "[queue][lifetime]") {
    auto jobs = std::make_unique<memory_queue>();
    const auto one = jobs->enqueue(note{.n = 1}).value();
    const auto many = jobs->enqueue(test::notes(3)).value();
    const auto found = jobs->find<note>(one.id());
    const auto of_batch = many(1);
    jobs.reset();
    for (const auto& handle : {one, found, of_batch}) {
        CHECK(handle.wait(1h).error() == pgq::errc::closed);
        CHECK(handle.progress().error() == pgq::errc::closed);
        CHECK(handle.cancel().error() == pgq::errc::closed);
    }
    CHECK(many.wait_all(1h).error() == pgq::errc::closed);
    CHECK(many.cancel().error() == pgq::errc::closed);
}

TEST_CASE("a handle refers to its queue also after the queue object was moved", "[queue][lifetime]") {
    memory_queue first;
    const auto handle = first.enqueue(note{.n = 1}).value();
    const memory_queue second{std::move(first)};
    CHECK(handle.cancel().value().removed == 1);
}

TEST_CASE("a worker of a local queue runs after the queue is gone", "[queue][lifetime]") {
    const pgq::driver::memory database;
    int runs = 0;
    const auto make = [&] {
        memory_queue local{database};
        (void)local.enqueue(test::notes(3)).value();
        return pgq::worker{local, until_empty(), [&](const note&) { ++runs; }};
    };
    auto w = make();
    w.run().value();
    CHECK(runs == 3);
}

TEST_CASE("a worker works on when its queue object is moved", "[queue][lifetime]") {
    memory_queue first;
    int runs = 0;
    pgq::worker w{first, until_empty(), [&](const note&) { ++runs; }};
    memory_queue second{std::move(first)};
    (void)second.enqueue(note{}).value();
    w.run().value();
    CHECK(runs == 1);
}

TEST_CASE("a worker of a temporary queue runs", "[queue][lifetime]") {
    const pgq::driver::memory database;
    memory_queue producer{database};
    (void)producer.enqueue(note{}).value();
    int runs = 0;
    pgq::worker w{memory_queue{database}, until_empty(), [&](const note&) { ++runs; }};
    w.run().value();
    CHECK(runs == 1);
}

TEST_CASE("a poller, a polled job, a range and a flow outlive their queue object", "[queue][lifetime]") {
    const pgq::driver::memory database;
    auto jobs = std::make_unique<memory_queue>(database);
    (void)jobs->enqueue(test::notes(2)).value();
    std::optional poller{jobs->poll<note>({.timeout = 0s})};
    auto polled = poller->next().value();
    REQUIRE(polled);
    auto range = jobs->items<note>({.timeout = 0s});
    auto flow = jobs->flow();
    flow.add(note{.n = 7});
    jobs.reset();

    CHECK(poller->next().value()->release());
    CHECK(range.begin()->value()->n == 1);
    CHECK(flow.enqueue().value().size() == 1);
    poller.reset();
    CHECK(polled->ack().error() == pgq::errc::closed);
    memory_queue after{database};
    CHECK(after.counts<note>().value().ready == 2);
}

#ifndef NDEBUG
TEST_CASE("a call on a queue object that was moved from stops a debug build", "[queue][lifetime]") {
    memory_queue first;
    const memory_queue second{std::move(first)};
    const pid_t child = ::fork();
    if (child == 0) {
        std::signal(SIGABRT, SIG_DFL);
        (void)first.enqueue(note{});
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGABRT);
}
#endif

}  // namespace unit_client_lifetimes
