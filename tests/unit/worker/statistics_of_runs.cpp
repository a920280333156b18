#include <pgq/backoff/none.hpp>
#include <pgq/delivery/at_most_once.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/jobs.hpp"

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace unit_worker_statistics_of_runs {

using namespace std::chrono_literals;
using test::letter;
using test::note;

namespace {

using both_queue =
    pgq::queue<note, letter, pgq::driver::memory, pgq::serializer::json, pgq::backoff::none, pgq::executor::in_place>;
using once_queue = pgq::queue<pgq::job<note, pgq::delivery::at_most_once>, pgq::driver::memory, pgq::serializer::json,
                              pgq::executor::in_place>;

pgq::worker_options usual() { return {.max_attempts = 3, .until = pgq::run_until::empty}; }

constexpr auto ignore_letters = [](const letter&) {};

}  // namespace

TEST_CASE("a worker that has ended has reported what became of each job", "[worker][statistics]") {
    both_queue jobs;
    jobs.enqueue(test::notes(6)).value();
    test::run_until_empty(
        jobs, usual(),
        [](const note& n, pgq::context& c) -> pgq::outcome {
            if (n.n == 2 && c.attempt() == 1) throw std::runtime_error{"once"};
            if (n.n == 3) return pgq::hold{"no"};
            if (n.n == 4) return pgq::discard{"no need"};
            if (n.n == 5) throw std::runtime_error{"always"};
            return pgq::done{};
        },
        ignore_letters);
    const auto s = jobs.statistics<note>({.last = 1h}).value();
    CHECK(s.done == 3);
    CHECK(s.retried == 3);
    CHECK(s.held == 2);
    CHECK(s.discarded == 1);
    CHECK(s.finished() == 6);
    CHECK(s.throughput(1min) == 0.1);
    CHECK(s.throughput(0s) == 0);
    CHECK(s.enqueued == 6);
    CHECK(s.wait.total() == 6);
    CHECK(s.run.total() == 2 + 2 + 1 + 1 + 3);
    CHECK(jobs.statistics<letter>({.last = 1h}).value() == pgq::job_statistics{});
    CHECK(jobs.statistics({.last = 1h}).value() == s);
    const auto each = jobs.statistics_by_entrypoint({.last = 1h}).value();
    REQUIRE(each.size() == 1);
    CHECK(each.at("note") == s);
    pgq::job_statistics sum;
    for (const auto& part : jobs.statistics_series<note>({.last = 1h}, 1min).value()) sum += part;
    CHECK(sum == s);

    const auto failures = jobs.latest_failures<note>().value();
    REQUIRE(failures.size() == 5);
    CHECK(failures[0].attempt == 3);
    CHECK(failures[0].reason == "attempt 3 of 3 failed: always");
    CHECK(failures.at(0).entrypoint == "note");
    CHECK(jobs.latest_failures(2).value().size() == 2);
    CHECK(jobs.latest_failures<letter>().value().empty());

    jobs.enqueue(letter{1}).value();
    CHECK(jobs.counts_up_to<note>(1).value().held == pgq::capped_count{1, true});
    const auto waiting = jobs.counts_by_entrypoint().value();
    CHECK(waiting.at("letter").ready == pgq::capped_count{1, false});
    CHECK(waiting.at("letter").oldest_ready.has_value());
    CHECK(waiting.at("note").held == pgq::capped_count{2, false});
}

TEST_CASE("a job that its handler commits, or that is delivered at most once, counts once", "[worker][statistics]") {
    SECTION("in a transaction") {
        both_queue jobs;
        jobs.enqueue(test::notes(4)).value();
        test::run_until_empty(
            jobs, usual(),
            [](const note& n, pgq::context& c, pgq::transaction<both_queue>& tx) {
                (void)tx.enqueue(letter{n.n}).value();
                if (n.n == 3 && c.attempt() == 1) throw std::runtime_error{"once"};
            },
            ignore_letters);
        const auto s = jobs.statistics<note>({.last = 1h}).value();
        CHECK(s.done == 4);
        CHECK(s.retried == 1);
        CHECK(s.enqueued == 4);
        CHECK(s.run.total() == 5);
        CHECK(jobs.statistics<letter>({.last = 1h}).value().done == 4);
    }
    SECTION("at most once") {
        once_queue jobs;
        jobs.enqueue(test::notes(3)).value();
        test::run_until_empty(jobs, usual(), [](const note& n) {
            if (n.n == 1) throw std::runtime_error{"gone all the same"};
        });
        const auto s = jobs.statistics<note>({.last = 1h}).value();
        CHECK(s.done == 2);
        CHECK(s.discarded == 1);
        CHECK(s.enqueued == 3);
        CHECK(s.run.total() == 3);
    }
}

TEST_CASE("wrong arguments of the calls that read numbers are errors", "[worker][statistics]") {
    both_queue jobs;
    const pgq::time_point noon{std::chrono::sys_days{std::chrono::year{2026} / 5 / 1} + 12h};
    const pgq::time_window wrong[] = {{},
                                      {.from = noon},
                                      {.to = noon},
                                      {.from = noon, .to = noon},
                                      {.from = noon, .to = noon - 1h},
                                      {.last = -1h},
                                      {.last = 30s},
                                      {.last = 49h},
                                      {.last = 1h, .from = noon, .to = noon + 1h}};
    for (const auto& window : wrong) {
        CHECK(jobs.statistics<note>(window).error() == pgq::errc::invalid_option);
        CHECK(jobs.statistics(window).error() == pgq::errc::invalid_option);
        CHECK(jobs.statistics_by_entrypoint(window).error() == pgq::errc::invalid_option);
        CHECK(jobs.statistics_series<note>(window, 1min).error() == pgq::errc::invalid_option);
    }
    CHECK(jobs.statistics({.last = 48h}).has_value());
    CHECK(jobs.statistics({.from = noon, .to = noon + 1s}).has_value());
    CHECK(jobs.latest_failures(static_cast<std::size_t>(-1)).error() == pgq::errc::invalid_option);
    CHECK(jobs.latest_failures<note>(1'000'001).error() == pgq::errc::invalid_option);
    CHECK(jobs.statistics_series<note>({.last = 1h}, 30s).error() == pgq::errc::invalid_option);
    CHECK(jobs.statistics_series<note>({.last = 1h}, 90s).error() == pgq::errc::invalid_option);
    CHECK(jobs.counts_up_to<note>(0).error() == pgq::errc::invalid_option);
    CHECK(jobs.keep_failures<note>(-1s).error() == pgq::errc::invalid_option);
    CHECK(jobs.keep_failures<note>(0s).has_value());
}

}  // namespace unit_worker_statistics_of_runs
