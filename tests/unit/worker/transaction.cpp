#include <pgq/backoff/none.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/executor/retrying.hpp>
#include <pgq/executor/timeout.hpp>
#include <pgq/limiter/global_concurrency.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/jobs.hpp"
#include "support/leases.hpp"

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace unit_worker_transaction {

using namespace std::chrono_literals;
using pgq::lane_counts;
using test::letter;
using test::note;

namespace {

template <class... Policies>
using both_queue =
    pgq::queue<note, letter, pgq::driver::memory, pgq::serializer::json, pgq::backoff::none, Policies...>;
using letters_queue = both_queue<pgq::executor::in_place>;
using transaction = pgq::transaction<letters_queue>;

pgq::worker_options usual() { return {.max_attempts = 2, .until = pgq::run_until::empty}; }

constexpr auto ignore_letters = [](const letter&) {};

}  // namespace

TEST_CASE("a handler in a transaction commits its enqueues together with the acknowledgement",
          "[worker][transaction]") {
    letters_queue jobs;
    jobs.enqueue(test::notes(20)).value();
    std::vector<std::int64_t> letters;
    test::run_until_empty(
        jobs, usual(),
        [&](const note& n, transaction& tx) {
            const auto before = jobs.counts<letter>().value().ready;
            (void)tx.enqueue(letter{.n = n.n}).value();
            CHECK(jobs.counts<letter>().value().ready == before);  // not visible before the commit
        },
        [&](const letter& l) { letters.push_back(l.n); });
    CHECK(letters.size() == 20);
    CHECK(jobs.counts<note>().value() == lane_counts{});
}

TEST_CASE("a handler in a transaction may also have the context as a parameter", "[worker][transaction]") {
    letters_queue jobs;
    const auto id = jobs.enqueue(note{.n = 1}).value();
    int runs = 0;
    test::run_until_empty(
        jobs, usual(),
        [&](const note&, pgq::context& c, transaction&) {
            CHECK(c.id() == id);
            ++runs;
        },
        ignore_letters);
    CHECK(runs == 1);
}

TEST_CASE("if a handler throws or does not return done, its transaction rolls back", "[worker][transaction]") {
    letters_queue jobs;
    jobs.enqueue(test::notes(6)).value();
    int letters = 0;
    test::run_until_empty(
        jobs, usual(),
        [&](const note& n, pgq::context& c, transaction& tx) -> pgq::outcome {
            (void)tx.enqueue(letter{.n = n.n}).value();
            if (c.attempt() == 2) return pgq::done{};
            switch (n.n) {
            case 0: return pgq::retry_after{0s, "once more"};
            case 1: return pgq::discard{"not wanted"};
            case 2: return pgq::hold{"for a person"};
            case 3: throw std::runtime_error{"no"};
            default: return pgq::done{};
            }
        },
        [&](const letter&) { ++letters; });
    CHECK(letters == 4);  // 0, 3, 4 and 5
    CHECK(jobs.counts<note>().value() == lane_counts{.held = 1});
}

TEST_CASE("an inner failure rolls back to its savepoint, and the rest commits", "[worker][transaction]") {
    letters_queue jobs;
    jobs.enqueue(note{.n = 1}).value();
    std::vector<std::int64_t> letters;
    test::run_until_empty(
        jobs, usual(),
        [&](const note&, transaction& tx) {
            tx.enqueue(letter{.n = 1}).value();
            CHECK_THROWS(tx.savepoint([&] {
                tx.enqueue(letter{.n = 2}).value();
                throw std::runtime_error{"inner"};
            }));
            const auto refused = tx.savepoint([&]() -> pgq::result<int> {
                tx.enqueue(std::vector<letter>{{.n = 3}, {.n = 4}}).value();
                return pgq::errc::timeout;
            });
            CHECK(refused.error() == pgq::errc::timeout);
            CHECK(tx.savepoint([&]() -> pgq::result<int> {
                        tx.enqueue(letter{.n = 5}).value();
                        return 7;
                    }).value() == 7);
            tx.savepoint([](auto& inner) { inner.enqueue(letter{.n = 6}).value(); }).value();
        },
        [&](const letter& l) { letters.push_back(l.n); });
    CHECK(letters == std::vector<std::int64_t>{1, 5, 6});
}

TEST_CASE("a job whose handler fails in its transaction until the last attempt is held", "[worker][transaction]") {
    letters_queue jobs;
    jobs.enqueue(note{.n = 1}).value();
    test::run_until_empty(
        jobs, usual(), [&](const note&, transaction&) { throw std::runtime_error{"always"}; }, ignore_letters);
    REQUIRE(jobs.counts<note>().value() == lane_counts{.held = 1});
    CHECK(jobs.held<note>().value().front().reason == "attempt 2 of 2 failed: always");
}

TEST_CASE("each call of a retried handler has a new transaction", "[worker][transaction]") {
    using queue = both_queue<pgq::executor::retrying<pgq::backoff::none, pgq::executor::in_place>>;
    queue jobs;
    jobs.enqueue(note{.n = 1}).value();
    int letters = 0;
    test::run_until_empty(
        jobs, usual(),
        [&](const note&, pgq::context& c, pgq::transaction<queue>& tx) {
            tx.enqueue(letter{.n = c.try_number()}).value();
            if (c.try_number() < 3) throw std::runtime_error{"not yet"};
        },
        [&](const letter& l) {
            CHECK(l.n == 3);
            ++letters;
        });
    CHECK(letters == 1);
}

TEST_CASE("the transaction of a handler that exceeded its timeout does not commit", "[worker][transaction]") {
    using queue = both_queue<pgq::executor::timeout<1ms, pgq::executor::in_place>>;
    queue jobs;
    jobs.enqueue(note{.n = 1}).value();
    int letters = 0;
    auto options = usual();
    options.max_attempts = 1;
    test::run_until_empty(
        jobs, options,
        [&](const note&, pgq::context& c, pgq::transaction<queue>& tx) {
            tx.enqueue(letter{.n = 1}).value();
            CHECK(test::eventually([&] { return c.stop_token().stop_requested(); }));
        },
        [&](const letter&, pgq::context&) { ++letters; });
    CHECK(letters == 0);
    CHECK(jobs.counts<note>().value() == lane_counts{.held = 1});
}

TEST_CASE("the transaction of a handler whose lease is lost does not commit", "[worker][transaction]") {
    using queue = both_queue<pgq::executor::thread_pool, test::event_counts>;
    pgq::driver::memory store;
    queue jobs{store};
    jobs.enqueue(note{.n = 1}).value();
    int runs = 0;
    test::run_until_empty(
        jobs, usual(),
        [&](const note&, pgq::transaction<queue>& tx) {
            tx.enqueue(letter{.n = ++runs}).value();
            if (runs > 1) return;
            // What a rescue does after this worker was taken for dead.
            auto session = store.connect(pgq::session_role::monitor).value();
            session.give_back(test::leases_of_all(session)).value();
        },
        [&](const letter& l) { CHECK(l.n == 2); });
    CHECK(runs == 2);
    CHECK(jobs.observer()->lost == 1);
    CHECK(jobs.counts<note>().value() == lane_counts{});
}

TEST_CASE("limits apply to handlers in a transaction", "[worker][transaction]") {
    using queue = pgq::queue<pgq::job<note, pgq::limiter::global_concurrency<2>>, letter, pgq::driver::memory,
                             pgq::serializer::json, pgq::executor::thread_pool>;
    queue jobs{{}, {}, pgq::executor::thread_pool{4}};
    jobs.enqueue(test::notes(30)).value();
    std::atomic<int> inside{0}, most{0}, runs{0};
    test::run_until_empty(
        jobs, usual(),
        [&](const note&, pgq::transaction<queue>&) {
            const int now = ++inside;
            for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {}
            ++runs;
            --inside;
        },
        ignore_letters);
    CHECK(runs == 30);
    CHECK(most <= 2);
    CHECK(jobs.counts<note>().value() == lane_counts{});
}

}  // namespace unit_worker_transaction
