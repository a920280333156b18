#include <pgq/backoff/fixed.hpp>
#include <pgq/backoff/none.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/jobs.hpp"

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace unit_worker_batch {

namespace batch_jobs {

// The type of an older program that enqueues into the lane of test::note.
struct old_note {
    static constexpr std::string_view entrypoint = "note";
    std::string n{};
};

}  // namespace batch_jobs

}  // namespace unit_worker_batch

BOOST_HANA_ADAPT_STRUCT(unit_worker_batch::batch_jobs::old_note, n);

namespace unit_worker_batch {

using namespace std::chrono_literals;
using pgq::lane_counts;
using test::letter;
using test::note;

namespace {

template <class... Policies>
using memory_queue = pgq::queue<note, pgq::driver::memory, pgq::serializer::json, Policies...>;
using notes_queue = memory_queue<pgq::executor::in_place, pgq::backoff::none>;
using batch = std::span<const note>;

pgq::worker_options usual() { return {.max_attempts = 3, .until = pgq::run_until::empty}; }

std::vector<std::int64_t> numbers(batch some) {
    std::vector<std::int64_t> all;
    for (const note& n : some) all.push_back(n.n);
    return all;
}

template <class Queue>
lane_counts left_in(Queue& jobs) {
    return jobs.template counts<note>().value();
}

}  // namespace

TEST_CASE("a batch handler gets the jobs of one claim in one call, in order, at most max_batch of them",
          "[worker][batch]") {
    notes_queue jobs;
    jobs.enqueue(test::notes(250)).value();
    std::vector<std::vector<std::int64_t>> calls;
    test::run_until_empty(jobs, usual(), [&](batch some) { calls.push_back(numbers(some)); });
    REQUIRE(calls.size() >= 3);
    CHECK(calls.front().size() == 100);
    std::vector<std::int64_t> all;
    for (const auto& c : calls) {
        CHECK(c.size() <= 100);
        all.insert(all.end(), c.begin(), c.end());
    }
    std::vector<std::int64_t> wanted(250);
    std::iota(wanted.begin(), wanted.end(), 0);
    CHECK(all == wanted);
    CHECK(left_in(jobs) == lane_counts{});
}

TEST_CASE("max_batch applies from the first claim on", "[worker][batch]") {
    notes_queue jobs;
    jobs.enqueue(test::notes(25)).value();
    auto options = usual();
    options.max_batch = 10;
    std::vector<std::size_t> sizes;
    test::run_until_empty(jobs, options, [&](batch some) { sizes.push_back(some.size()); });
    CHECK(sizes.front() == 10);
    CHECK(*std::max_element(sizes.begin(), sizes.end()) == 10);
    CHECK(std::accumulate(sizes.begin(), sizes.end(), std::size_t{0}) == 25);
}

TEST_CASE("a batch handler gets each job's id, attempt, priority and headers", "[worker][batch]") {
    notes_queue jobs;
    const pgq::header tag{"tag", "red"};
    const auto first = jobs.enqueue(note{.n = 1}, {.priority = 2, .headers = {&tag, 1}}).value();
    const auto second = jobs.enqueue(note{.n = 2}).value();
    int calls = 0;
    test::run_until_empty(jobs, usual(), [&](batch some, pgq::batch_context& c) {
        ++calls;
        REQUIRE(some.size() == 2);
        REQUIRE(c.size() == 2);
        CHECK(some[0].n == 1);
        CHECK(c[0].id() == first);
        CHECK(c[0].priority() == 2);
        CHECK(c[0].header_value("tag") == "red");
        CHECK(c[1].id() == second);
        CHECK(c[1].attempt() == 1);
        CHECK(c[1].headers().empty());
        CHECK_FALSE(c.stop_token().stop_requested());
    });
    CHECK(calls == 1);
}

TEST_CASE("a single outcome applies to every job of the batch", "[worker][batch]") {
    notes_queue jobs;
    jobs.enqueue(test::notes(5)).value();
    test::run_until_empty(jobs, usual(), [&](batch) { return pgq::hold{"for a person"}; });
    CHECK(left_in(jobs) == lane_counts{.held = 5});
    CHECK(jobs.held<note>().value().back().reason == "for a person");
}

TEST_CASE("a list of outcomes settles each job of a batch separately", "[worker][batch]") {
    notes_queue jobs;
    jobs.enqueue(test::notes(4)).value();
    std::vector<std::vector<std::int64_t>> calls;
    test::run_until_empty(jobs, usual(), [&](batch some) {
        calls.push_back(numbers(some));
        pgq::outcomes each;
        for (const note& n : some) {
            if (calls.size() > 1 || n.n == 0) each.emplace_back(pgq::done{});
            else if (n.n == 1) each.emplace_back(pgq::retry_after{0s, "once more"});
            else if (n.n == 2) each.emplace_back(pgq::hold{"kept"});
            else each.emplace_back(pgq::discard{"not wanted"});
        }
        return each;
    });
    CHECK(calls == std::vector<std::vector<std::int64_t>>{{0, 1, 2, 3}, {1}});
    CHECK(left_in(jobs) == lane_counts{.held = 1});
}

TEST_CASE("a wrong number of outcomes fails the whole batch with a message, and no job is lost", "[worker][batch]") {
    notes_queue jobs;
    jobs.enqueue(test::notes(5)).value();
    auto options = usual();
    options.max_attempts = 1;
    test::run_until_empty(jobs, options, [&](batch) { return pgq::outcomes(3); });
    const auto held = jobs.held<note>().value();
    REQUIRE(held.size() == 5);
    for (const auto& h : held)
        CHECK(h.reason == "attempt 1 of 1 failed: the handler of a batch returned 3 outcomes for 5 jobs");
}

TEST_CASE("an exception fails every job of the batch, each with its own attempts and delay", "[worker][batch]") {
    memory_queue<pgq::executor::in_place, pgq::backoff::fixed> jobs{
        pgq::driver::memory::with_clock(pgq::manual_clock{})};
    jobs.enqueue(test::notes(3)).value();
    int calls = 0;
    test::run_until_empty(jobs, usual(), [&](batch) {
        ++calls;
        throw std::runtime_error{"no"};
    });
    CHECK(calls == 1);
    CHECK(left_in(jobs) == lane_counts{.deferred = 3});
}

TEST_CASE("jobs of a batch that always fails are held, each after its own last attempt", "[worker][batch]") {
    notes_queue jobs;
    jobs.enqueue(test::notes(3)).value();
    std::map<std::int64_t, int> attempts;
    test::run_until_empty(jobs, usual(), [&](batch some, pgq::batch_context& c) -> pgq::outcomes {
        for (std::size_t i = 0; i < some.size(); ++i) attempts[some[i].n] = c[i].attempt();
        throw std::runtime_error{"always"};
    });
    CHECK(attempts == std::map<std::int64_t, int>{{0, 3}, {1, 3}, {2, 3}});
    REQUIRE(left_in(jobs) == lane_counts{.held = 3});
    CHECK(jobs.held<note>().value().front().reason == "attempt 3 of 3 failed: always");
}

TEST_CASE("only the job whose payload cannot be read is held, and the others of its batch run", "[worker][batch]") {
    pgq::driver::memory store;
    notes_queue jobs{store};
    pgq::queue<batch_jobs::old_note, pgq::driver::memory, pgq::serializer::json> old{store};
    jobs.enqueue(note{.n = 1}).value();
    old.enqueue(batch_jobs::old_note{.n = "two"}).value();
    jobs.enqueue(note{.n = 3}).value();
    std::vector<std::int64_t> seen;
    test::run_until_empty(jobs, usual(), [&](batch some, pgq::batch_context& c) {
        REQUIRE(some.size() == c.size());
        for (const note& n : some) seen.push_back(n.n);
    });
    CHECK(seen == std::vector<std::int64_t>{1, 3});
    REQUIRE(left_in(jobs) == lane_counts{.held = 1});
    CHECK(jobs.held<note>().value().front().reason.starts_with("the payload cannot be read"));
}

TEST_CASE("a batch handler and a handler of single jobs each get only their own jobs", "[worker][batch]") {
    pgq::queue<note, letter, pgq::driver::memory, pgq::serializer::json, pgq::executor::in_place> jobs;
    jobs.enqueue(test::notes(10)).value();
    for (int i = 0; i < 10; ++i) jobs.enqueue(letter{.n = i}).value();
    std::size_t notes = 0, letters = 0;
    test::run_until_empty(
        jobs, usual(), [&](batch some) { notes += some.size(); }, [&](const letter&) { ++letters; });
    CHECK(notes == 10);
    CHECK(letters == 10);
}

TEST_CASE("one batch runs on each thread, and the worker holds no more jobs than that", "[worker][batch]") {
    memory_queue<pgq::executor::thread_pool, test::event_counts> jobs{{}, {}, pgq::executor::thread_pool{2}};
    jobs.enqueue(test::notes(100)).value();
    test::gate gate;
    std::atomic<std::size_t> running{0};
    pgq::worker_options options;
    options.max_batch = 10;
    options.max_prefetch = 0;
    test::running_worker w{jobs, options, [&](batch some, pgq::batch_context& c) {
                               running += some.size();
                               gate.pass(c[0]);
                           }};
    CHECK(test::eventually([&] { return gate.waiting() == 2; }));
    CHECK(running >= 11);
    CHECK(jobs.observer()->most_in_flight <= 21);
    gate.open();
    CHECK(test::eventually([&] { return left_in(jobs) == lane_counts{}; }));
    CHECK(w.stop());
    CHECK(running == 100);
}

TEST_CASE("a worker that is told to stop gives back batches that have not started", "[worker][batch]") {
    memory_queue<pgq::executor::thread_pool> jobs{{}, {}, pgq::executor::thread_pool{1}};
    jobs.enqueue(test::notes(40)).value();
    test::gate gate;
    std::atomic<std::size_t> ran{0};
    pgq::worker_options options;
    options.max_batch = 10;
    test::running_worker w{jobs, options, [&](batch some, pgq::batch_context& c) {
                               ran += some.size();
                               gate.pass(c[0]);
                           }};
    CHECK(test::eventually([&] { return gate.waiting() == 1; }));
    w.request_stop();
    CHECK(test::eventually([&] { return left_in(jobs).leased == static_cast<std::int64_t>(ran); }));
    gate.open();
    CHECK(w.stop());
    CHECK(left_in(jobs) == lane_counts{.ready = 40 - static_cast<std::int64_t>(ran)});
    std::set<int> attempts;
    test::run_until_empty(jobs, usual(), [&](batch, pgq::batch_context& c) {
        for (const auto& each : c) attempts.insert(each.attempt());
    });
    CHECK(attempts == std::set<int>{1});
}

TEST_CASE("a worker with max_batch of zero does not start", "[worker][batch]") {
    notes_queue jobs;
    pgq::worker_options options;
    options.max_batch = 0;
    pgq::worker w{jobs, options, [](batch) {}};
    CHECK(w.run().error() == pgq::errc::invalid_option);
}

}  // namespace unit_worker_batch
