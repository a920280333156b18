#include <pgq/backoff/none.hpp>
#include <pgq/context/resources.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/raw.hpp>
#include <pgq/time/manual_clock.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/jobs.hpp"

#include <boost/hana/adapt_struct.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unit_worker_outcomes {

namespace outcome_jobs {

struct size {
    std::int64_t w = 0, h = 0;
};
struct resize {
    static constexpr std::string_view entrypoint = "resize";
    using result = size;
    std::string path{};
};
struct blob {
    static constexpr std::string_view entrypoint = "blob";
    std::string bytes{};
};
// The type of an older program that enqueues into the lane of test::note.
struct old_note {
    static constexpr std::string_view entrypoint = "note";
    std::string n{};
};

}  // namespace outcome_jobs

}  // namespace unit_worker_outcomes

BOOST_HANA_ADAPT_STRUCT(unit_worker_outcomes::outcome_jobs::size, w, h);
BOOST_HANA_ADAPT_STRUCT(unit_worker_outcomes::outcome_jobs::resize, path);
BOOST_HANA_ADAPT_STRUCT(unit_worker_outcomes::outcome_jobs::blob, bytes);
BOOST_HANA_ADAPT_STRUCT(unit_worker_outcomes::outcome_jobs::old_note, n);

namespace unit_worker_outcomes {

using namespace std::chrono_literals;
using pgq::lane_counts;
using test::note;

namespace {

template <class... Policies>
using memory_queue = pgq::queue<note, pgq::driver::memory, pgq::serializer::json, pgq::executor::in_place, Policies...>;
using notes_queue = memory_queue<pgq::backoff::none>;

pgq::worker_options usual() { return {.max_attempts = 3, .until = pgq::run_until::empty}; }

template <class Queue, class Handler>
lane_counts work_one(Queue& jobs, Handler handler, pgq::worker_options options = usual()) {
    jobs.enqueue(note{.n = 1, .text = "one"}).value();
    test::run_until_empty(jobs, options, std::move(handler));
    return jobs.template counts<note>().value();
}

template <class Queue>
std::string reason_of_only_held(Queue& jobs) {
    const auto held = jobs.template held<note>().value();
    REQUIRE(held.size() == 1);
    return held.front().reason;
}

}  // namespace

TEST_CASE("a job whose handler returns void is done", "[worker][outcome]") {
    notes_queue jobs;
    int runs = 0;
    CHECK(work_one(jobs, [&](const note& job) { runs += job.text == "one" ? 1 : 100; }) == lane_counts{});
    CHECK(runs == 1);
}

TEST_CASE("done and discard delete the job from the queue", "[worker][outcome]") {
    notes_queue jobs;
    CHECK(work_one(jobs, [](const note&) { return pgq::done{}; }) == lane_counts{});
    CHECK(work_one(jobs, [](const note&) { return pgq::discard{"not wanted"}; }) == lane_counts{});
    CHECK(work_one(jobs, [](const note&) -> pgq::outcome { return pgq::discard{"not wanted"}; }) == lane_counts{});
}

TEST_CASE("hold keeps the job with its reason, and a requeue starts it again with all attempts", "[worker][outcome]") {
    notes_queue jobs;
    std::vector<int> attempts;
    const auto handler = [&](const note&, pgq::context& c) -> pgq::outcome {
        attempts.push_back(c.attempt());
        if (attempts.size() == 1) return pgq::hold{"ask Ada"};
        return pgq::done{};
    };
    CHECK(work_one(jobs, handler) == lane_counts{.held = 1});
    CHECK(reason_of_only_held(jobs) == "ask Ada");
    const auto held = jobs.held<note>().value();
    CHECK(jobs.requeue(held.front().id).value() == 1);
    test::run_until_empty(jobs, usual(), handler);
    CHECK(jobs.counts<note>().value() == lane_counts{});
    CHECK(attempts == std::vector{1, 1});
}

TEST_CASE("retry_after without a delay runs the job again at once, and counts the attempt", "[worker][outcome]") {
    notes_queue jobs;
    std::vector<int> attempts;
    const auto before = std::chrono::steady_clock::now();
    const auto left = work_one(jobs, [&](const note&, pgq::context& c) -> pgq::outcome {
        attempts.push_back(c.attempt());
        if (c.attempt() < 3) return pgq::retry_after{0s, "not yet"};
        return pgq::done{};
    });
    CHECK(left == lane_counts{});
    CHECK(attempts == std::vector{1, 2, 3});
    CHECK(std::chrono::steady_clock::now() - before < 2s);  // without a poll interval in between
}

TEST_CASE("retry_after with a delay runs the job after that delay", "[worker][outcome]") {
    notes_queue jobs;
    CHECK(work_one(jobs, [](const note&) { return pgq::retry_after{1h, "later"}; }) == lane_counts{.deferred = 1});
}

TEST_CASE("a delay beyond the last possible time means the last possible time", "[worker][outcome]") {
    notes_queue jobs;
    CHECK(work_one(jobs, [](const note&) { return pgq::retry_after{pgq::duration::max(), "never"}; }).deferred == 1);
    CHECK(work_one(jobs, [](const note&) { return pgq::snooze{pgq::duration::max()}; }).deferred == 2);
}

TEST_CASE("a negative delay of a retry means at once", "[worker][outcome]") {
    notes_queue jobs;
    int runs = 0;
    const auto left = work_one(jobs, [&](const note&) -> pgq::outcome {
        if (++runs == 1) return pgq::retry_after{-5s, "in the past"};
        return pgq::done{};
    });
    CHECK(left == lane_counts{});
    CHECK(runs == 2);
}

TEST_CASE("a snoozed job rests for 1 s if no delay is said, and for 100 ms at least", "[worker][outcome]") {
    const auto [said, least] = GENERATE(table<pgq::duration, pgq::duration>(
        {{0s, 1s}, {pgq::duration::min(), 1s}, {1us, 100ms}, {99ms, 100ms}, {250ms, 250ms}}));
    pgq::manual_clock clock;
    notes_queue jobs{pgq::driver::memory::with_clock(clock)};
    const auto id = jobs.enqueue(note{.n = 1}).value();
    int runs = 0;
    test::run_until_empty(jobs, usual(), [&, delay = said](const note&) -> pgq::outcome {
        if (++runs == 1) return pgq::snooze{delay};
        return pgq::done{};
    });
    const auto job = jobs.find_one(id).value();
    REQUIRE(job);
    CHECK(job->run_at == clock.now() + least);
}

TEST_CASE("snooze counts no attempt", "[worker][outcome]") {
    notes_queue jobs;
    std::vector<int> attempts;
    const auto left = work_one(jobs,
                               [&](const note&, pgq::context& c) -> pgq::outcome {
                                   attempts.push_back(c.attempt());
                                   if (attempts.size() < 6) return pgq::snooze{1us};
                                   return pgq::done{};
                               },
                               {.max_attempts = 3, .until = pgq::run_until::drained});
    CHECK(left == lane_counts{});
    CHECK(attempts == std::vector<int>(6, 1));
}

TEST_CASE("an exception is a failed attempt, and after max_attempts the job is held with its text",
          "[worker][outcome]") {
    notes_queue jobs;
    int runs = 0;
    const auto left = work_one(jobs, [&](const note&) {
        ++runs;
        throw std::runtime_error{"smtp says no"};
    });
    CHECK(left == lane_counts{.held = 1});
    CHECK(runs == 3);
    CHECK(reason_of_only_held(jobs) == "attempt 3 of 3 failed: smtp says no");
}

TEST_CASE("an exception of any type is a failed attempt", "[worker][outcome]") {
    notes_queue jobs;
    CHECK(work_one(jobs, [](const note&) { throw 42; }, {.max_attempts = 1, .until = pgq::run_until::empty}).held == 1);
    CHECK(reason_of_only_held(jobs) == "attempt 1 of 1 failed: an exception that is no std::exception");
}

TEST_CASE("max_attempts also limits retry_after", "[worker][outcome]") {
    notes_queue jobs;
    int runs = 0;
    CHECK(work_one(jobs, [&](const note&) {
              ++runs;
              return pgq::retry_after{0s, "again"};
          }) == lane_counts{.held = 1});
    CHECK(runs == 3);
    CHECK(reason_of_only_held(jobs) == "attempt 3 of 3 failed: again");
}

TEST_CASE("with exhausted::drop the last failure deletes the job", "[worker][outcome]") {
    notes_queue jobs;
    int runs = 0;
    auto options = usual();
    options.on_exhausted = pgq::exhausted::drop;
    CHECK(work_one(
              jobs,
              [&](const note&) {
                  ++runs;
                  throw std::runtime_error{"no"};
              },
              options) == lane_counts{});
    CHECK(runs == 3);
}

TEST_CASE("the text of a failure is made storable: valid UTF-8, no zero bytes, not too long", "[worker][outcome]") {
    notes_queue jobs;
    const auto text =
        GENERATE(std::string("zero \0 byte", 11), std::string("bad \xff\xc3 bytes"), std::string(1 << 20, 'x'));
    CHECK(work_one(jobs, [&](const note&) { throw std::runtime_error{text}; }).held == 1);
    CHECK(work_one(jobs, [&](const note&) { return pgq::hold{text}; }).held == 2);
    const auto held = jobs.held<note>().value();
    for (const auto& h : held) {
        CHECK(pgq::detail::is_storable_text(h.reason));
        CHECK(h.reason.size() < 10000);
        CHECK_FALSE(h.reason.empty());
    }
}

TEST_CASE("a job whose payload cannot be read is held at once, and its handler is not called", "[worker][outcome]") {
    using old_queue = pgq::queue<outcome_jobs::old_note, pgq::driver::memory, pgq::serializer::json>;
    const pgq::driver::memory store;
    old_queue old{store};
    notes_queue jobs{store};
    old.enqueue(outcome_jobs::old_note{"no number"}).value();
    int runs = 0;
    CHECK(work_one(jobs, [&](const note&) { ++runs; }) == lane_counts{.held = 1});
    CHECK(runs == 1);  // the readable job
    CHECK(reason_of_only_held(jobs).find("the payload cannot be read: ") == 0);
    CHECK(jobs.held<note>().value().front().attempts == 1);
}

TEST_CASE("a job whose handler returns a value is done, also if the value converts to the job's result",
          "[worker][outcome]") {
    using outcome_jobs::resize;
    pgq::queue<resize, pgq::driver::memory, pgq::serializer::json, pgq::executor::in_place> jobs;
    for (int i = 0; i < 3; ++i) jobs.enqueue(resize{"cat.jpg"}).value();
    test::run_until_empty(jobs, {}, [](const resize& r) {
        return outcome_jobs::size{static_cast<std::int64_t>(r.path.size()), 1};
    });
    CHECK(jobs.counts<resize>().value() == lane_counts{});
    jobs.enqueue(resize{"cat.jpg"}).value();
    test::run_until_empty(jobs, {}, [](const resize&) -> outcome_jobs::size { throw std::runtime_error{"no image"}; });
    CHECK(jobs.counts<resize>().value() == lane_counts{.deferred = 1});
}

TEST_CASE("the context describes the attempt", "[worker][context]") {
    notes_queue jobs;
    const pgq::header headers[] = {{"trace", "00-ab"}, {"tenant", "größer"}};
    const auto expected = pgq::time_point{std::chrono::sys_days{std::chrono::year{2030} / 1 / 2}};
    const auto id = jobs.enqueue(note{}, {.priority = 7, .expected_at = pgq::at(expected), .headers = headers}).value();
    const auto plain = jobs.enqueue(note{.n = 2}).value();
    std::string shared = "a resource";
    pgq::resources resources;
    resources.add(shared);
    auto options = usual();
    options.shared = &resources;
    int runs = 0;
    test::run_until_empty(jobs, options, [&](const note& job, pgq::context& c) -> pgq::outcome {
        ++runs;
        CHECK(&c.resource<std::string>() == &shared);
        CHECK_THROWS_AS(c.resource<int>(), std::out_of_range);
        CHECK_FALSE(c.stop_token().stop_requested());
        if (job.n == 2) {
            CHECK(c.id() == plain);
            CHECK(c.priority() == 0);
            CHECK(c.headers().empty());
            CHECK(c.deadline() == std::nullopt);
            return pgq::done{};
        }
        CHECK(c.id() == id);
        CHECK(c.priority() == 7);
        CHECK(c.deadline() == expected);
        CHECK(c.headers().size() == 2);
        CHECK(c.header_value("tenant") == "größer");
        CHECK(c.header_value("none") == std::nullopt);
        CHECK(c.attempt() == (runs == 1 ? 1 : 2));  // id, headers and rank are the same in all attempts
        if (c.attempt() == 1) return pgq::retry_after{};
        return pgq::done{};
    });
    CHECK(runs == 3);
}

TEST_CASE("a handler that asks for a missing resource fails", "[worker][context]") {
    notes_queue jobs;
    CHECK(work_one(jobs, [](const note&, pgq::context& c) { (void)c.resource<std::string>(); }).held == 1);
    CHECK(reason_of_only_held(jobs).find("no resource of this type was added to the worker") != std::string::npos);
}

namespace {

struct in_an_hour {
    using policy_category = pgq::backoff_tag;
    static constexpr pgq::duration delay(int) noexcept { return 1h; }
};

}  // namespace

TEST_CASE("an entrypoint's own back-off overrides the queue's", "[worker][policies]") {
    pgq::queue<note, pgq::job<test::letter, in_an_hour>, pgq::driver::memory, pgq::serializer::json, pgq::backoff::none,
               pgq::executor::in_place>
        jobs;
    jobs.enqueue(note{}).value();
    jobs.enqueue(test::letter{}).value();
    test::run_until_empty(jobs, usual(), [](const auto&) { throw std::runtime_error{"no"}; });
    CHECK(jobs.counts<note>().value() == lane_counts{.held = 1});
    CHECK(jobs.counts<test::letter>().value() == lane_counts{.deferred = 1});
}

TEST_CASE("the default back-off delays a failed job", "[worker][policies]") {
    memory_queue<> jobs;
    CHECK(work_one(jobs, [](const note&) { throw std::runtime_error{"no"}; }) == lane_counts{.deferred = 1});
}

TEST_CASE("an entrypoint's own serializer overrides the queue's", "[worker][policies]") {
    using outcome_jobs::blob;
    pgq::queue<note, pgq::job<blob, pgq::serializer::raw>, pgq::driver::memory, pgq::serializer::json,
               pgq::executor::in_place>
        jobs;
    jobs.enqueue(note{.n = 3, .text = "x"}).value();
    jobs.enqueue(blob{std::string("a\0b", 3)}).value();
    std::vector<std::string> seen;
    test::run_until_empty(
        jobs, usual(), [&](const note& j) { seen.push_back(j.text); },
        [&](const blob& j) {
            seen.push_back(j.bytes);
            return pgq::hold{"look at it"};
        });
    CHECK(seen == std::vector{std::string{"x"}, std::string("a\0b", 3)});
    const auto held = jobs.held<blob>().value();
    REQUIRE(held.size() == 1);
    CHECK(held.front().body == std::string("a\0b", 3));
}

TEST_CASE("rebind changes only the driver of a queue", "[worker][policies]") {
    using in_tests = pgq::rebind<test::note_queue<>, pgq::driver::memory>;
    in_tests jobs;
    jobs.enqueue(test::notes(10)).value();
    std::atomic<int> seen{0};
    test::run_until_empty(jobs, usual(), [&](const note&) { ++seen; });
    CHECK(seen == 10);
    CHECK(jobs.observer()->started == 1);
}

}  // namespace unit_worker_outcomes
