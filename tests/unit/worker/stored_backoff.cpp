#include <pgq/backoff/fixed.hpp>
#include <pgq/backoff/linear.hpp>
#include <pgq/backoff/none.hpp>
#include <pgq/backoff/stored.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/time/manual_clock.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/jobs.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace unit_worker_stored_backoff {

using namespace std::chrono_literals;
using pgq::backoff::spec;
using test::note;

namespace {

struct hourly {
    using policy_category = pgq::backoff_tag;
    pgq::duration delay(int attempt) const noexcept { return as_spec().delay(attempt); }
    spec as_spec() const { return pgq::backoff::linear{.first = 1h, .step = 1h, .cap = 24h}; }
};

template <class Backoff>
using queue_with = pgq::queue<note, pgq::driver::memory, pgq::serializer::json, pgq::executor::in_place, Backoff>;
using storing = queue_with<pgq::backoff::stored<hourly>>;
using at_once = queue_with<pgq::backoff::none>;

using headers = std::vector<std::pair<std::string, std::string>>;

/// A worker of another program, whose own policy retries at once. `seen` records the jobs, all of which fail.
struct other_program {
    explicit other_program(const pgq::driver::memory& database) : jobs{database} {}

    std::size_t work(std::int16_t max_attempts = 5) {
        const std::size_t before = seen.size();
        test::run_until_empty(jobs, {.max_attempts = max_attempts}, [this](const note& n, pgq::context& c) {
            seen.add(n.n, c);
            throw std::runtime_error{"not today"};
        });
        return seen.size() - before;
    }

    at_once jobs;
    test::run_log seen{};
};

/// Promotes due jobs, as a worker that goes on would. Returns their number.
std::uint32_t became_due(const pgq::driver::memory& database) {
    auto session = database.connect(pgq::session_role::worker).value();
    const auto self = session.register_worker({.host = "here", .lease_time = 1h}).value();
    pgq::sync_reply reply;
    session.sync({.worker = self, .promote = true}, reply).value();
    session.retire(self).value();
    return reply.promoted;
}

const std::string stored{"linear 1h 1h 24h"};

}  // namespace

TEST_CASE("a job waits by its producer's policy, not by the worker's", "[backoff][stored]") {
    pgq::manual_clock clock;
    const auto database = pgq::driver::memory::with_clock(clock);
    storing producer{database};
    other_program consumer{database};
    producer.enqueue(note{.n = 1}).value();

    for (const auto rest : {1h, 2h, 3h}) {
        CHECK(consumer.work() == 1);
        clock.advance(rest - 1s);
        CHECK(became_due(database) == 0);
        clock.advance(1s);
        CHECK(became_due(database) == 1);
    }
}

TEST_CASE("a job without a stored back-off waits by the worker's policy", "[backoff][stored]") {
    const pgq::driver::memory database;
    at_once producer{database};
    other_program consumer{database};
    producer.enqueue(note{.n = 1}).value();
    CHECK(consumer.work(3) == 3);
}

TEST_CASE("a worker whose own policy is stored uses the job's stored back-off, too", "[backoff][stored]") {
    const pgq::driver::memory database;
    at_once producer{database};
    storing consumer{database};
    const pgq::header brought{spec::header_name, "none"};
    producer.enqueue(note{.n = 1}, {.headers = {&brought, 1}}).value();
    producer.enqueue(note{.n = 2}).value();
    std::vector<std::int64_t> ran;
    test::run_until_empty(consumer, {.max_attempts = 3}, [&](const note& n) {
        ran.push_back(n.n);
        throw std::runtime_error{"not today"};
    });
    CHECK(std::ranges::count(ran, 1) == 3);
    CHECK(std::ranges::count(ran, 2) == 1);
    CHECK(consumer.counts<note>().value().deferred == 1);
}

TEST_CASE("a worker that cannot read a stored back-off uses its own policy", "[backoff][stored]") {
    const pgq::driver::memory database;
    at_once producer{database};
    other_program consumer{database};
    const pgq::header brought{spec::header_name, "fibonacci 1h"};
    producer.enqueue(note{.n = 1}, {.headers = {&brought, 1}}).value();
    CHECK(consumer.work(3) == 3);
}

TEST_CASE("a delay that the handler returns overrides the stored back-off", "[backoff][stored]") {
    storing jobs;
    jobs.enqueue(note{.n = 1}).value();
    int runs = 0;
    test::run_until_empty(jobs, {.max_attempts = 3}, [&](const note&) {
        ++runs;
        return pgq::retry_after{0s, "at once"};
    });
    CHECK(runs == 3);
}

TEST_CASE("a job keeps its stored back-off and the caller's headers", "[backoff][stored]") {
    const pgq::driver::memory database;
    storing producer{database};
    other_program consumer{database};
    const std::array mine{pgq::header{"color", "red"}, pgq::header{"size", "7"}};
    const std::array own{pgq::header{"color", "blue"}, pgq::header{spec::header_name, "fixed 5h"}};
    const std::vector<note> notes{{.n = 1}, {.n = 2}, {.n = 3}};
    REQUIRE(producer.enqueue(notes, [&](const note& n) {
        pgq::enqueue_options o;
        if (n.n == 2) o.headers = mine;
        if (n.n == 3) o.headers = own;
        return o;
    }));
    CHECK(consumer.work() == 3);
    std::vector<headers> seen(4);
    for (auto& s : consumer.seen.all()) {
        std::ranges::sort(s.headers);
        seen.at(static_cast<std::size_t>(s.n)) = s.headers;
    }
    CHECK(seen[1] == headers{{"pgq-backoff", stored}});
    CHECK(seen[2] == headers{{"color", "red"}, {"pgq-backoff", stored}, {"size", "7"}});
    CHECK(seen[3] == headers{{"color", "blue"}, {"pgq-backoff", "fixed 5h"}});
}

TEST_CASE("all jobs of a range get the same headers with the stored back-off", "[backoff][stored]") {
    const pgq::driver::memory database;
    storing producer{database};
    other_program consumer{database};
    const pgq::header mine{"color", "red"};
    REQUIRE(producer.enqueue(test::notes(3), {.headers = {&mine, 1}}));
    CHECK(consumer.work() == 3);
    for (auto& s : consumer.seen.all()) {
        std::ranges::sort(s.headers);
        CHECK(s.headers == headers{{"color", "red"}, {"pgq-backoff", stored}});
    }
}

}  // namespace unit_worker_stored_backoff
