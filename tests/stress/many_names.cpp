#include <pgq/executor/in_place.hpp>
#include <pgq/worker.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

namespace stress_many_names {

using namespace std::chrono_literals;
using test::note;
using steady = std::chrono::steady_clock;

namespace {

/// Counts the claims that brought jobs.
struct claim_counter {
    using policy_category = pgq::observer_tag;
    void on(const pgq::event::jobs_claimed& e) { *claims += e.last ? 1 : 0; }
    std::shared_ptr<int> claims = std::make_shared<int>(0);
};
using tenant_queue =
    pgq::queue<note, pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place, claim_counter>;

const auto tenants = pgq::queue_names::with_prefix("tenant-");

// Makes the lanes of so many names.
void make_names(const test::database& db, int names) {
    db.exec("INSERT INTO {s}.lane (queue, entrypoint) SELECT 'tenant-' || n, 'note' FROM generate_series(1, " +
            std::to_string(names) + ") n ON CONFLICT DO NOTHING");
}
// Puts jobs into the first `busy` of these names, in turn.
void put_jobs(const test::database& db, int jobs, int busy) {
    db.exec(
        "INSERT INTO {s}.ready (rank, lane, body) SELECT 0, l.id, convert_to('{\"n\":' || j || ',\"text\":\"\"}',"
        " 'UTF8') FROM generate_series(1, " +
        std::to_string(jobs) + ") j JOIN {s}.lane l ON l.queue = 'tenant-' || (j % " + std::to_string(busy) + " + 1)");
}

struct cost {
    int claims = 0;
    double us_per_claim = 0;
};
// Drains 2000 jobs of `busy` of `names` names, 20 jobs at most in a claim.
cost drain(int names, int busy) {
    const test::database db;
    make_names(db, names);
    put_jobs(db, 2000, busy);
    claim_counter counter;
    tenant_queue jobs{db.driver(), {.name = "unused"}, {}, counter};
    int ran = 0;
    pgq::worker w{jobs, pgq::worker_options{.max_prefetch = 20, .until = pgq::run_until::empty, .queues = &tenants},
                  [&](const note&) { ++ran; }};
    const auto began = steady::now();
    w.run().value();
    const std::chrono::duration<double, std::micro> took = steady::now() - began;
    CHECK(ran == 2000);
    return {*counter.claims, took.count() / *counter.claims};
}

}  // namespace

TEST_CASE("a claim of a worker of ten thousand names costs at most twice that of ten", "[stress][slow][names]") {
    struct setting {
        int names, busy;
        cost least{0, std::numeric_limits<double>::max()};
    };
    setting ten{10, 10}, thousand{1000, 10}, ten_thousand{10'000, 10}, all{10'000, 2000};
    // In turn, and the least of each: other programs on the machine only add to it.
    for (int i = 0; i < 4; ++i)
        for (setting* s : {&ten, &thousand, &ten_thousand, &all})
            if (const cost c = drain(s->names, s->busy); c.us_per_claim < s->least.us_per_claim) s->least = c;
    for (const setting* s : {&ten, &thousand, &ten_thousand, &all})
        WARN(s->names << " names, " << s->busy << " with jobs: " << s->least.claims << " claims, "
                      << s->least.us_per_claim << " us each");
    CHECK(ten_thousand.least.us_per_claim < 2 * ten.least.us_per_claim);
    CHECK(all.least.us_per_claim < 2 * ten.least.us_per_claim);
}

TEST_CASE("a worker of ten thousand names starts within two seconds, and any of them wakes it within one",
          "[stress][slow][names]") {
    const test::database db;
    make_names(db, 10'000);
    put_jobs(db, 10'000, 10'000);
    tenant_queue jobs{db.driver(), {.name = "unused"}};
    std::atomic<int> ran{0};
    const auto began = steady::now();
    test::running_worker w{jobs, {.poll_interval = 1h, .queues = &tenants}, [&](const note&) { ++ran; }};
    REQUIRE(test::eventually([&] { return ran > 0; }));
    const auto started = steady::now() - began;
    CHECK(started < 2s);
    REQUIRE(test::eventually([&] { return ran == 10'000; }));
    WARN("first job after " << started / 1ms << " ms, the ten thousandth name after " << (steady::now() - began) / 1ms);

    steady::duration longest{};
    for (int i = 0; i < 50; ++i) {
        tenant_queue one{db.driver(), {.name = "tenant-" + std::to_string(i * 397 + 1)}};  // half of them are new
        const auto put = steady::now();
        (void)one.enqueue(note{}).value();
        REQUIRE(test::eventually([&] { return ran == 10'001 + i; }));
        longest = std::max(longest, steady::now() - put);
    }
    CHECK(longest < 1s);
    WARN("the slowest wake took " << longest / 1ms << " ms");
    CHECK(w.stop());
}

}  // namespace stress_many_names
