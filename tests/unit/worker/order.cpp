#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/jobs.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace unit_worker_order {

using namespace std::chrono_literals;
using test::letter;
using test::note;

namespace {

using two_lanes = pgq::queue<note, letter, pgq::driver::memory, pgq::serializer::json, pgq::executor::in_place>;

std::vector<std::string> run_until_empty(two_lanes& jobs) {
    std::vector<std::string> seen;
    test::run_until_empty(
        jobs, {}, [&](const note& j) { seen.push_back("note " + std::to_string(j.n)); },
        [&](const letter& j) { seen.push_back("letter " + std::to_string(j.n)); });
    return seen;
}

}  // namespace

TEST_CASE("jobs run first in, first out", "[worker][order]") {
    two_lanes jobs;
    std::vector<std::string> expected;
    for (std::int64_t n = 0; n < 300; ++n) {
        jobs.enqueue(note{.n = n}).value();
        expected.push_back("note " + std::to_string(n));
    }
    CHECK(run_until_empty(jobs) == expected);
}

TEST_CASE("the job with the highest priority runs first, over all entrypoints", "[worker][order]") {
    two_lanes jobs;
    std::vector<std::string> expected;
    for (int priority = -50; priority <= 50; ++priority) {
        const pgq::enqueue_options o{.priority = static_cast<std::int16_t>(priority)};
        if (priority % 2 == 0) jobs.enqueue(note{.n = priority}, o).value();
        else jobs.enqueue(letter{.n = priority}, o).value();
        expected.insert(expected.begin(), (priority % 2 == 0 ? "note " : "letter ") + std::to_string(priority));
    }
    CHECK(run_until_empty(jobs) == expected);
}

TEST_CASE("among jobs with equal priority the earliest expected_at runs first, and jobs without it last",
          "[worker][order]") {
    two_lanes jobs;
    jobs.enqueue(note{.n = 0}).value();
    jobs.enqueue(letter{.n = 1}, {.expected_at = pgq::in(2h)}).value();
    jobs.enqueue(note{.n = 2}, {.expected_at = pgq::in(1h)}).value();
    jobs.enqueue(letter{.n = 3}, {.priority = 1, .expected_at = pgq::in(9h)}).value();
    jobs.enqueue(note{.n = 4}, {.expected_at = pgq::in(-1h)}).value();
    jobs.enqueue(letter{.n = 5}).value();
    CHECK(run_until_empty(jobs) ==
          std::vector<std::string>{"letter 3", "note 4", "note 2", "letter 1", "note 0", "letter 5"});
}

TEST_CASE("a worker runs the jobs that its handlers enqueue", "[worker][order]") {
    two_lanes jobs;
    jobs.enqueue(note{.n = 10}).value();
    std::vector<std::int64_t> seen;
    test::run_until_empty(
        jobs, {},
        [&](const note& j) {
            seen.push_back(j.n);
            jobs.enqueue(letter{.n = j.n + 1}).value();
        },
        [&](const letter& j) {
            seen.push_back(j.n);
            if (j.n < 41) jobs.enqueue(note{.n = j.n + 9}).value();
        });
    CHECK(seen == std::vector<std::int64_t>{10, 11, 20, 21, 30, 31, 40, 41});
}

TEST_CASE("a worker runs only jobs of its own queue's name", "[worker][order]") {
    const pgq::driver::memory store;
    two_lanes jobs{store}, others{store, {.name = "others"}};
    jobs.enqueue(note{.n = 1}).value();
    others.enqueue(note{.n = 2}).value();
    CHECK(run_until_empty(jobs) == std::vector<std::string>{"note 1"});
    CHECK(run_until_empty(others) == std::vector<std::string>{"note 2"});
}

}  // namespace unit_worker_order
