#include <pgq/handler/batch_attempt.hpp>

#include "support/catch.hpp"
#include "unit/handler/fake_run.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace unit_handler_batch_attempt {

namespace {

using namespace std::chrono_literals;
using namespace unit_handler;
using fakes::mail;
using kind = pgq::outcome::kind;
using batch = std::span<const mail>;

/// Runs a batch of all jobs of the lease; false if none was left to run.
template <class Handler>
bool run_batch(fake_run<mails<>, Handler>& run) {
    using access = fake_access<mails<>, Handler>;
    auto jobs = std::make_unique<pgq::detail::job_batch>(&run.runner, run.slot);
    for (std::uint32_t i = 0; i < run.bodies.size(); ++i) jobs->positions.push_back(i);
    pgq::detail::batch_attempt<mail, access> a{access{&run}, std::move(jobs)};
    if (!a.begin()) return false;
    a.call();
    CHECK(a.next().what == pgq::try_do::stop);
    return true;
}

template <class Handler>
auto run_of(Handler handler, std::vector<std::string> payloads, std::int16_t attempt = 1) {
    return fake_run<mails<>, Handler>{std::move(handler), payloads, attempt};
}

template <class Run>
std::vector<kind> kinds(const Run& run) {
    std::vector<kind> all;
    for (const auto& c : run.runner.concluded) all.push_back(c.what.what());
    return all;
}

}  // namespace

TEST_CASE("one call gets all jobs of a batch in their order", "[handler][batch_attempt]") {
    std::vector<std::string> seen;
    auto run = run_of(
        [&](batch jobs, pgq::batch_context& c) {
            for (std::size_t i = 0; i < jobs.size(); ++i) seen.push_back(jobs[i].to + std::to_string(c[i].id().value));
        },
        {"a", "b", "c"});
    REQUIRE(run_batch(run));
    CHECK(seen == std::vector<std::string>{"a1", "b2", "c3"});
    CHECK(kinds(run) == std::vector{kind::done, kind::done, kind::done});
    CHECK(run.runner.seen.all == std::vector<std::string>{"started 1", "started 2", "started 3"});
}

TEST_CASE("one outcome is for all jobs of a batch, several are one for each", "[handler][batch_attempt]") {
    auto same = run_of([](batch) { return pgq::discard{"old"}; }, {"a", "b"});
    REQUIRE(run_batch(same));
    CHECK(kinds(same) == std::vector{kind::discard, kind::discard});

    auto each = run_of([](batch) { return pgq::outcomes{pgq::done{}, pgq::hold{"odd"}}; }, {"a", "b"});
    REQUIRE(run_batch(each));
    CHECK(kinds(each) == std::vector{kind::done, kind::hold});
    CHECK(each.runner.concluded[1].position == 1);
}

TEST_CASE("a wrong number of outcomes fails every job of the batch", "[handler][batch_attempt]") {
    auto run = run_of([](batch) { return pgq::outcomes(1); }, {"a", "b"}, 2);
    REQUIRE(run_batch(run));
    CHECK(kinds(run) == std::vector{kind::retry, kind::retry});
    CHECK(run.runner.concluded[0].what.reason() == "the handler of a batch returned 1 outcomes for 2 jobs");
    CHECK(run.runner.concluded[0].what.delay() == 20s);
}

TEST_CASE("a batch handler that throws fails every job, each with its own back-off", "[handler][batch_attempt]") {
    auto run = run_of([](batch) { throw std::runtime_error{"no route"}; }, {"a", "b"}, 3);
    REQUIRE(run_batch(run));
    CHECK(kinds(run) == std::vector{kind::retry, kind::retry});
    CHECK(run.runner.concluded[1].what.reason() == "no route");
    CHECK(run.runner.concluded[1].what.delay() == 30s);
}

TEST_CASE("a payload that cannot be read is held, and the rest of its batch runs", "[handler][batch_attempt]") {
    std::size_t called_with = 0;
    auto run = run_of([&](batch jobs) { called_with = jobs.size(); }, {"a", "unreadable", "c"});
    REQUIRE(run_batch(run));
    CHECK(called_with == 2);
    REQUIRE(run.runner.concluded.size() == 3);
    CHECK(run.runner.concluded[0].position == 1);
    CHECK(run.runner.concluded[0].what.what() == kind::hold);
    CHECK(run.runner.concluded[1].position == 0);
    CHECK(run.runner.concluded[2].position == 2);
}

TEST_CASE("a batch runs without the jobs that the worker took back, and not at all without any",
          "[handler][batch_attempt]") {
    std::vector<std::string> seen;
    auto run = run_of(
        [&](batch jobs) {
            for (const auto& m : jobs) seen.push_back(m.to);
        },
        {"a", "b"});
    run.runner.taken_back = {0};
    REQUIRE(run_batch(run));
    CHECK(seen == std::vector<std::string>{"b"});
    REQUIRE(run.runner.concluded.size() == 1);
    CHECK(run.runner.concluded[0].position == 1);

    run.runner.taken_back = {0, 1};
    CHECK_FALSE(run_batch(run));
    CHECK(run.runner.concluded.size() == 1);
}

}  // namespace unit_handler_batch_attempt
