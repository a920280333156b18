#include <pgq/backoff/none.hpp>
#include <pgq/delivery/at_least_once.hpp>
#include <pgq/delivery/at_most_once.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/executor/strand_by.hpp>
#include <pgq/limiter/concurrency.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/jobs.hpp"
#include "support/leases.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace unit_worker_at_most_once {

using pgq::lane_counts;
using pgq::delivery::at_most_once;
using test::letter;
using test::note;

namespace {

struct last_words {
    using policy_category = pgq::observer_tag;
    struct book {
        std::mutex mutex;
        std::vector<std::string> said;
    };
    void on(const pgq::event::job_finished& e) {
        const std::lock_guard lock{all->mutex};
        all->said.push_back(std::string{pgq::name_of(e.what)} + ": " + std::string{e.reason});
    }
    std::shared_ptr<book> all = std::make_shared<book>();
};

template <class... Policies>
using once_queue = pgq::queue<pgq::job<note, at_most_once>, pgq::driver::memory, pgq::serializer::json, Policies...>;

pgq::worker_options usual() { return {.max_attempts = 1, .until = pgq::run_until::empty}; }

// The order of policies does not change the queue.
using of_all = pgq::queue<note, pgq::job<letter, pgq::delivery::at_least_once>, at_most_once, pgq::driver::memory,
                          pgq::serializer::json>;
using in_another_order = pgq::queue<pgq::driver::memory, at_most_once, pgq::serializer::json,
                                    pgq::job<letter, pgq::delivery::at_least_once>, note>;
static_assert(std::is_same_v<of_all::composition_type, in_another_order::composition_type>);
static_assert(of_all::composition_type::delivery_of<note>::acknowledges_first);
static_assert(!of_all::composition_type::delivery_of<letter>::acknowledges_first);

}  // namespace

TEST_CASE("an at-most-once job is deleted when its handler is called", "[worker][at_most_once]") {
    once_queue<pgq::executor::in_place> jobs;
    jobs.enqueue(test::notes(10)).value();
    std::vector<std::int64_t> seen;
    test::run_until_empty(jobs, usual(), [&](const note& n, pgq::context& c) {
        seen.push_back(n.n);
        CHECK(c.attempt() == 1);
        const auto counts = jobs.counts<note>().value();
        CHECK(counts.ready + counts.leased == 10 - n.n - 1);
    });
    CHECK(seen.size() == 10);
    CHECK(jobs.counts<note>().value() == lane_counts{});
}

TEST_CASE("an at-most-once job runs once, whatever its handler returns", "[worker][at_most_once]") {
    once_queue<pgq::executor::in_place, pgq::backoff::none, last_words> jobs;
    jobs.enqueue(test::notes(5)).value();
    int runs = 0;
    test::run_until_empty(jobs, usual(), [&](const note& n) -> pgq::outcome {
        ++runs;
        switch (n.n) {
        case 0: throw std::runtime_error{"no"};
        case 1: return pgq::retry_after{{}, "not yet"};
        case 2: return pgq::snooze{};
        case 3: return pgq::hold{"for a person"};
        default: return pgq::done{};
        }
    });
    CHECK(runs == 5);
    CHECK(jobs.counts<note>().value() == lane_counts{});
    CHECK(jobs.observer().all->said ==
          std::vector<std::string>{"retry: no", "retry: not yet", "snooze: ", "hold: for a person", "done: "});
}

TEST_CASE("a worker that stops gives back at-most-once jobs that have not started, and no others",
          "[worker][at_most_once]") {
    once_queue<pgq::executor::thread_pool> jobs{{}, {}, pgq::executor::thread_pool{2}};
    jobs.enqueue(test::notes(10)).value();
    test::gate gate;
    std::atomic<int> runs{0};
    test::running_worker w{jobs, pgq::worker_options{}, [&](const note&, pgq::context& c) {
                               ++runs;
                               gate.pass(c);
                           }};
    REQUIRE(test::eventually([&] { return gate.waiting() == 2; }));
    w.request_stop();
    CHECK(test::eventually([&] { return jobs.counts<note>().value() == lane_counts{.ready = 8}; }));
    gate.open();
    CHECK(w.stop());
    CHECK(runs == 2);
    CHECK(jobs.counts<note>().value() == lane_counts{.ready = 8});
}

TEST_CASE("an at-most-once job whose payload cannot be read is held, not lost", "[worker][at_most_once]") {
    pgq::driver::memory store;
    once_queue<pgq::executor::in_place> jobs{store};
    {
        auto session = store.connect(pgq::session_role::client).value();
        pgq::bodies bodies;
        bodies.bytes() = "no json";
        bodies.close();
        const pgq::enqueue_options plain;
        std::vector<pgq::job_id> ids;
        session.enqueue({.lane = jobs.lanes().value().front(), .bodies = &bodies, .options = {&plain, 1}}, ids).value();
    }
    test::run_until_empty(jobs, usual(), [](const note&) {});
    CHECK(jobs.counts<note>().value() == lane_counts{.held = 1});
}

TEST_CASE("a worker does not run an at-most-once job whose lease was lost before the start", "[worker][at_most_once]") {
    using queue = once_queue<pgq::executor::thread_pool, test::event_counts>;
    pgq::driver::memory store;
    queue jobs{store, {}, pgq::executor::thread_pool{1}};
    jobs.enqueue(test::notes(2)).value();
    std::vector<std::int64_t> seen;
    test::run_until_empty(jobs, usual(), [&](const note& n) {
        seen.push_back(n.n);
        if (seen.size() > 1) return;
        // What a rescue does after this worker was taken for dead: the second job goes back.
        auto session = store.connect(pgq::session_role::monitor).value();
        session.give_back(test::leases_of_all(session)).value();
    });
    CHECK(seen == std::vector<std::int64_t>{0, 1});
    CHECK(jobs.counts<note>().value() == lane_counts{});
}

TEST_CASE("strands and worker limits apply to at-most-once jobs", "[worker][at_most_once]") {
    using queue = pgq::queue<pgq::job<note, at_most_once, pgq::executor::strand_by<&note::text>>,
                             pgq::job<letter, at_most_once, pgq::limiter::concurrency<2>>, pgq::driver::memory,
                             pgq::serializer::json, pgq::executor::thread_pool>;
    queue jobs{{}, {}, pgq::executor::thread_pool{4}};
    jobs.enqueue(std::vector<note>(30, note{.n = 1, .text = "same"})).value();
    jobs.enqueue(std::vector<letter>(30)).value();
    std::atomic<int> notes{0}, letters{0}, most_notes{0}, most_letters{0}, runs{0};
    const auto count = [&](std::atomic<int>& inside, std::atomic<int>& most) {
        const int now = ++inside;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {}
        ++runs;
        --inside;
    };
    test::run_until_empty(
        jobs, usual(), [&](const note&) { count(notes, most_notes); },
        [&](const letter&) { count(letters, most_letters); });
    CHECK(runs == 60);
    CHECK(most_notes == 1);
    CHECK(most_letters <= 2);
}

}  // namespace unit_worker_at_most_once
