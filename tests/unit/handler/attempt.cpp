#include <pgq/executor/retrying.hpp>
#include <pgq/handler/attempt.hpp>

#include "support/catch.hpp"
#include "unit/handler/fake_run.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace unit_handler_attempt {

namespace {

using namespace std::chrono_literals;
using namespace unit_handler;
using fakes::mail;
using kind = pgq::outcome::kind;
using pgq::try_do;
using pgq::detail::lease_end;

template <class Composition, bool InTransaction = false, bool AtMostOnce = false, class Handler>
auto attempt_in(fake_run<Composition, Handler>& run) {
    using access = fake_access<Composition, Handler, InTransaction, AtMostOnce>;
    return pgq::detail::attempt<mail, access>{access{&run}, run.runner, run.slot, 0};
}

/// Runs an attempt that needs no pause.
template <class Composition, bool InTransaction = false, bool AtMostOnce = false, class Handler>
const fake_runner::conclusion& run_once(fake_run<Composition, Handler>& run) {
    auto a = attempt_in<Composition, InTransaction, AtMostOnce>(run);
    if (a.begin()) a.call();
    REQUIRE(a.next().what == try_do::stop);
    REQUIRE(run.runner.concluded.size() == 1);
    return run.runner.concluded[0];
}

template <class Composition = mails<>, class Handler>
auto run_of(Handler handler, std::string payload = "ada", std::int16_t attempt = 1) {
    return fake_run<Composition, Handler>{std::move(handler), {std::move(payload)}, attempt};
}

using queue_type = mails<>;
using transaction = pgq::basic_transaction<queue_type>;
constexpr bool in_transaction = true;
constexpr bool at_most_once = true;

}  // namespace

TEST_CASE("an attempt reads the payload, reports the start, and concludes with the handler's outcome",
          "[handler][attempt]") {
    std::string to;
    auto run = run_of([&](const mail& m) { to = m.to; });
    const auto& end = run_once(run);
    CHECK(to == "ada");
    CHECK(end.what.what() == kind::done);
    CHECK_FALSE(end.settled_by_handler);
    CHECK(run.runner.seen.all == std::vector<std::string>{"started 1"});
}

TEST_CASE("a payload that cannot be read is held, and no start is reported", "[handler][attempt]") {
    bool called = false;
    auto run = run_of([&](const mail&) { called = true; }, "unreadable");
    const auto& end = run_once(run);
    CHECK(end.what.what() == kind::hold);
    CHECK(end.what.reason().find("the payload cannot be read") == 0);
    CHECK_FALSE(called);
    CHECK(run.runner.seen.all.empty());
}

TEST_CASE("a handler that throws has failed, and the back-off of its attempt gives the delay", "[handler][attempt]") {
    auto run = run_of([](const mail&) { throw std::runtime_error{"no route"}; }, "ada", 3);
    const auto& end = run_once(run);
    CHECK(end.what.what() == kind::retry);
    CHECK(end.what.reason() == "no route");
    CHECK(end.what.delay() == 30s);

    auto odd = run_of([](const mail&) { throw 7; });
    CHECK(run_once(odd).what.reason() == "an exception that is no std::exception");
}

TEST_CASE("a handler that names the delay is retried after that delay", "[handler][attempt]") {
    auto run = run_of([](const mail&) { return pgq::retry_after{2s, "busy"}; });
    const auto& end = run_once(run);
    CHECK(end.what.delay() == 2s);
    CHECK(end.what.reason() == "busy");
}

TEST_CASE("the context shows the job and the number of the call", "[handler][attempt]") {
    pgq::job_id id{};
    int call = 0;
    auto run = run_of([&](const mail&, pgq::context& c) { id = c.id(), call = c.try_number(); });
    run_once(run);
    CHECK(id == pgq::job_id{1});
    CHECK(call == 1);
}

TEST_CASE("retrying pauses between calls, and the runner gets only the last result", "[handler][attempt]") {
    using patient = mails<pgq::executor::retrying<ten_seconds, pgq::executor::tries<3>, pgq::executor::budget<1h>>>;
    std::vector<int> calls;
    auto run = run_of<patient>([&](const mail&, pgq::context& c) {
        calls.push_back(c.try_number());
        if (calls.size() < 3) throw std::runtime_error{"not yet"};
    });
    auto a = attempt_in(run);
    REQUIRE(a.begin());
    a.call();
    REQUIRE(a.next().what == try_do::pause);
    CHECK(a.next().until == run.now + 10s);
    run.now += 10s;
    a.paused(true);
    REQUIRE(a.next().what == try_do::run);
    a.call();
    CHECK(a.next().until == run.now + 20s);
    run.now += 20s;
    a.paused(true);
    a.call();
    CHECK(a.next().what == try_do::stop);
    CHECK(calls == std::vector<int>{1, 2, 3});
    REQUIRE(run.runner.concluded.size() == 1);
    CHECK(run.runner.concluded[0].what.what() == kind::done);
    CHECK(run.runner.seen.all == std::vector<std::string>{"started 1", "try failed: not yet", "try failed: not yet"});
}

TEST_CASE("a pause that is cut short leaves the failure as the result", "[handler][attempt]") {
    using patient = mails<pgq::executor::retrying<ten_seconds, pgq::executor::budget<1h>>>;
    auto run = run_of<patient>([](const mail&) { throw std::runtime_error{"not yet"}; });
    auto a = attempt_in(run);
    REQUIRE(a.begin());
    a.call();
    REQUIRE(a.next().what == try_do::pause);
    run.runner.return_unstarted.request_stop();
    CHECK(a.stop_tokens()[1].stop_requested());
    a.paused(false);
    CHECK(a.next().what == try_do::stop);
    REQUIRE(run.runner.concluded.size() == 1);
    CHECK(run.runner.concluded[0].what.reason() == "not yet");
}

TEST_CASE("a transaction is committed together with the acknowledgement of its job",
          "[handler][attempt][transaction]") {
    auto run = run_of([](const mail&, transaction&) {});
    const auto& end = run_once<queue_type, in_transaction>(run);
    CHECK(end.settled_by_handler);
    CHECK(end.what.what() == kind::done);
    CHECK(run.sessions.calls == std::vector<std::string>{"begin", "commit"});
    CHECK(run.slot.closing.load());
}

TEST_CASE("a transaction whose job is not done is rolled back", "[handler][attempt][transaction]") {
    auto failing = run_of([](const mail&, transaction&) { throw std::runtime_error{"no"}; });
    const auto& failed = run_once<queue_type, in_transaction>(failing);
    CHECK_FALSE(failed.settled_by_handler);
    CHECK(failed.what.reason() == "no");
    CHECK(failed.what.delay() == 10s);
    CHECK(failing.sessions.calls == std::vector<std::string>{"begin", "roll back"});

    auto holding = run_of([](const mail&, transaction&) { return pgq::hold{"look at it"}; });
    CHECK(run_once<queue_type, in_transaction>(holding).what.what() == kind::hold);
    CHECK(holding.sessions.calls == std::vector<std::string>{"begin", "roll back"});
}

TEST_CASE("a commit that the database refuses is a failed attempt, and the lease goes on",
          "[handler][attempt][transaction]") {
    auto run = run_of([](const mail&, transaction&) {});
    run.sessions.committed = pgq::errc::invalid_text;
    const auto& end = run_once<queue_type, in_transaction>(run);
    CHECK_FALSE(end.settled_by_handler);
    CHECK(end.what.what() == kind::retry);
    CHECK(end.what.reason().find("the transaction was not committed: ") == 0);
    CHECK(end.what.delay() == 10s);
    CHECK_FALSE(run.slot.closing.load());
}

TEST_CASE("a commit that finds the lease lost reports it, and stores nothing more about the job",
          "[handler][attempt][transaction]") {
    auto run = run_of([](const mail&, transaction&) {});
    run.sessions.committed = lease_end::lost;
    const auto& end = run_once<queue_type, in_transaction>(run);
    CHECK(end.settled_by_handler);
    CHECK(end.what.what() == kind::retry);
    CHECK(run.runner.seen.all.back() == "lease lost");
}

TEST_CASE("without a connection a handler in a transaction does not run, and the attempt does not count",
          "[handler][attempt][transaction]") {
    bool called = false;
    auto run = run_of([&](const mail&, transaction&) { called = true; });
    run.sessions.begun = pgq::errc::connection_lost;
    const auto& end = run_once<queue_type, in_transaction>(run);
    CHECK_FALSE(called);
    CHECK(end.what.what() == kind::snooze);
    CHECK(end.what.delay() == 1s);
    CHECK(run.runner.seen.all.size() == 2);
}

TEST_CASE("a job that is delivered at most once is acknowledged before its handler is called",
          "[handler][attempt][at_most_once]") {
    std::vector<std::string> when_called;
    const std::vector<std::string>* calls = nullptr;
    auto run = run_of([&](const mail&) { when_called = *calls; });
    calls = &run.sessions.calls;
    const auto& end = run_once<queue_type, false, at_most_once>(run);
    CHECK(end.settled_by_handler);
    CHECK(when_called == std::vector<std::string>{"acknowledge"});
}

TEST_CASE("a job that could not be acknowledged does not run", "[handler][attempt][at_most_once]") {
    bool called = false;
    auto run = run_of([&](const mail&) { called = true; });
    SECTION("if another worker has it, nothing more is stored") {
        run.sessions.acknowledged = lease_end::lost;
        const auto& end = run_once<queue_type, false, at_most_once>(run);
        CHECK(end.settled_by_handler);
        CHECK(end.what.reason() == "it was not acknowledged, so it has not run");
        CHECK(run.runner.seen.all == std::vector<std::string>{"lease lost"});
    }
    SECTION("if it is unknown whether the lease was ended, the error is reported") {
        run.sessions.acknowledged = lease_end::unknown;
        const auto& end = run_once<queue_type, false, at_most_once>(run);
        CHECK(end.settled_by_handler);
        REQUIRE(run.runner.seen.all.size() == 1);
        CHECK(run.runner.seen.all[0].find("may be gone without having run") != std::string::npos);
    }
    SECTION("if the database refuses, it is put off for a second and the attempt does not count") {
        run.sessions.acknowledged = pgq::errc::connection_lost;
        const auto& end = run_once<queue_type, false, at_most_once>(run);
        CHECK_FALSE(end.settled_by_handler);
        CHECK(end.what.what() == kind::snooze);
        CHECK(end.what.delay() == 1s);
        CHECK_FALSE(run.slot.closing.load());
    }
    CHECK_FALSE(called);
}

}  // namespace unit_handler_attempt
