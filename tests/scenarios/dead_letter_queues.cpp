#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <pgq/driver/memory.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace scenarios_dead_letter_queues {

using namespace std::chrono_literals;
using pgq::end_kind;
using pgq::header_of;
using pgq::job_state;
using test::database;
using test::note;

namespace {

// Where jobs are stored, for each driver of these scenarios.
struct by_libpq {
    database db{};
    using driver = pgq::driver::libpq;
    driver make() const { return db.driver(); }
};
struct in_memory {
    pgq::driver::memory store{};
    using driver = pgq::driver::memory;
    driver make() const { return store; }
};
template <class Place>
using queue = pgq::queue<note, typename Place::driver, pgq::serializer::json>;

const auto fails = [](const note& n) {
    if (n.text != "fine") throw std::runtime_error{"broken: " + n.text};
};

template <class Queue>
pgq::job_id put(Queue& jobs, std::string text, std::string_view tenant) {
    const std::array headers{pgq::header{"tenant", tenant}};
    return jobs.enqueue(note{.text = std::move(text)}, {.headers = headers}).value();
}

}  // namespace

TEMPLATE_TEST_CASE(
    "a job whose last attempt failed is in the dead-letter queue with payload and headers, and a worker there runs it",
    "[scenario][pgjobq26]", by_libpq, in_memory) {
    const TestType place;
    queue<TestType> jobs{place.make()}, others{place.make(), {.name = "others"}}, dead{place.make(), {.name = "dead"}};
    jobs.template dead_letters<note>("dead").value();
    (void)others.lanes().value();
    test::run_log seen;
    test::running_worker undertaker{
        dead, {.poll_interval = 10min}, [&](const note& n, pgq::context& c) { seen.add(n.n, c, n.text); }};
    const std::array headers{pgq::header{"foo", "bär"}};
    const auto h =
        jobs.enqueue(note{.n = 7, .text = "bad"}, {.priority = 3, .headers = headers, .keep_outcome = 1min}).value();
    test::run_until_empty(jobs, {.max_attempts = 1}, fails);
    const auto end = h.wait(test::test_timeout).value();
    CHECK(end.kind == end_kind::held);
    CHECK(end.reason.find("broken: bad") != std::string::npos);
    REQUIRE(test::eventually([&] { return seen.size() == 1; }));
    const auto s = seen.all().front();
    CHECK(s.id == h);
    CHECK(s.n == 7);
    CHECK(s.attempt == 1);
    CHECK(s.priority == 3);
    std::map<std::string, std::string> got{s.headers.begin(), s.headers.end()};
    CHECK(got["foo"] == "bär");
    CHECK(got["pgq-died-in"] == "default");
    CHECK(got["pgq-died-of"].find("broken: bad") != std::string::npos);
    CHECK(got["pgq-attempts"] == "1");
    CHECK(jobs.template held<note>().value().empty());
    jobs.template dead_letters<note>("").value();
    (void)put(jobs, "bad again", "a");
    test::run_until_empty(jobs, {.max_attempts = 1}, fails);
    CHECK(jobs.template held<note>().value().size() == 1);
    CHECK(jobs.template dead_letters<note>("default").error() == pgq::errc::invalid_option);
}

TEMPLATE_TEST_CASE("a held job has a history, and it can be found by its headers, requeued by a filter, or cancelled",
                   "[scenario][dead]", by_libpq, in_memory) {
    const TestType place;
    queue<TestType> jobs{place.make()};
    const auto a = put(jobs, "one", "a"), b = put(jobs, "two", "b"), c = put(jobs, "three", "a");
    test::run_until_empty(jobs, {.max_attempts = 1}, fails);
    using ids = std::vector<pgq::job_id>;
    CHECK(jobs.template find_all<note>({}, job_state::held).value() == ids{a, b, c});
    CHECK(jobs.template find_all<note>(header_of("tenant") == "a").value() == ids{a, c});
    CHECK(jobs.template find_all<note>({}, job_state::ready | job_state::leased).value().empty());
    CHECK(jobs.template find_all<note>({}, pgq::any_state, 2).value() == ids{a, b});
    const auto history = jobs.failures(b).value();
    REQUIRE(history.size() == 1);
    CHECK(history[0].attempt == 1);
    CHECK(history[0].reason.find("broken: two") != std::string::npos);
    CHECK(jobs.template requeue_all<note>(header_of("tenant") == "a").value() == 2);
    CHECK(jobs.template find_all<note>({}, job_state::ready).value() == ids{a, c});
    CHECK(jobs.template cancel_all<note>(header_of("tenant") == "b").value().removed == 1);
    CHECK(jobs.template find_all<note>({}, job_state::held).value().empty());
    test::run_until_empty(jobs, {.max_attempts = 1}, fails);
    CHECK(jobs.failures(a).value().size() == 2);
}

TEMPLATE_TEST_CASE("cancel by a header ends only the matching job, and cancel of a lane ends all of its jobs",
                   "[scenario][pgjobq25]", by_libpq, in_memory) {
    const TestType place;
    queue<TestType> jobs{place.make()};
    const auto one = put(jobs, "fine", "1"), two = put(jobs, "fine", "2");
    (void)put(jobs, "fine", "abc");  // its header is not a number, which is no error
    CHECK(jobs.template cancel_all<note>(header_of("tenant") == 1).value() ==
          pgq::cancel_reply{.removed = 1, .stopping = 0});
    CHECK(jobs.template find_all<note>(header_of("tenant") == 2).value() == std::vector<pgq::job_id>{two});
    CHECK(jobs.template cancel_all<note>().value().removed == 2);
    CHECK(jobs.template counts<note>().value() == pgq::lane_counts{});
    (void)one;
}

TEMPLATE_TEST_CASE("an expired job with on_expiry::hold goes to the dead-letter queue", "[scenario][pgjobq27]",
                   by_libpq, in_memory) {
    const TestType place;
    queue<TestType> jobs{place.make()}, dead{place.make(), {.name = "dead"}};
    jobs.template dead_letters<note>("dead").value();
    (void)dead.lanes().value();
    const auto h =
        jobs.enqueue(note{}, {.expires_at = pgq::in(50ms), .if_expired = pgq::on_expiry::hold, .keep_outcome = 1min})
            .value();
    CHECK(h.wait(test::test_timeout).value().reason == "it expired");  // it ends although no worker runs
    CHECK(dead.template find_all<note>({}, job_state::ready).value() == std::vector<pgq::job_id>{h});
}

TEMPLATE_TEST_CASE(
    "at_most bounds a lane exactly: a call with one job too many is refused whole, and a finished job makes room",
    "[scenario][bound][pgjobq31]", by_libpq, in_memory) {
    const TestType place;
    queue<TestType> jobs{place.make()};
    (void)jobs.enqueue(test::notes(3), {.at_most = 4}).value();
    const auto refused = jobs.enqueue(test::notes(2), {.at_most = 4});
    REQUIRE(refused.error() == pgq::errc::lane_full);
    CHECK(jobs.template counts<note>().value().ready == 3);
    (void)jobs.enqueue(note{}, {.run_at = pgq::in(1h), .at_most = 4}).value();
    CHECK(jobs.enqueue(note{}, {.at_most = 4}).error() == pgq::errc::lane_full);
    CHECK(jobs.template wait_for_room<note>(4, 20ms).error() == pgq::errc::lane_full);
    std::atomic<bool> entered{false};
    std::jthread blocked{[&] {
        jobs.enqueue(note{}, {.at_most = 4, .wait_for_room = test::test_timeout}).value();
        entered = true;
    }};
    CHECK(test::always(50ms, [&] { return !entered; }));
    queue<TestType> elsewhere{place.make()};
    test::run_until_empty(elsewhere, {}, [](const note&) {});
    CHECK(test::eventually([&] { return entered.load(); }));
    jobs.template wait_for_room<note>(4, test::test_timeout).value();
    (void)jobs.enqueue(note{}).value();  // a call without at_most is not bounded
}

}  // namespace scenarios_dead_letter_queues
