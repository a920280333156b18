#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace integration_claim_answer {

TEST_CASE("each job of a claim has its own rank, attempts and headers", "[integration][claim]") {
    const test::database db;
    test::note_queue<> jobs{db.driver()};
    constexpr std::int64_t n = 60;
    std::array<std::int64_t, n> number_of{};  // by the ids, which count from the first one
    std::int64_t first = 0;
    const bool alike = GENERATE(true, false);
    for (std::int64_t i = 0; i < n; ++i) {
        const auto text = std::to_string(i);
        const std::array mine{pgq::header{"i", text}};
        pgq::enqueue_options o;
        if (!alike) o.priority = static_cast<std::int16_t>(i % 5);
        if (i % 3 == 0) o.headers = mine;
        const auto id = jobs.enqueue(test::note{.n = i}, o).value().id().value;
        if (i == 0) first = id;
        number_of.at(static_cast<std::size_t>(id - first)) = i;
    }
    if (!alike) db.exec("UPDATE {s}.ready SET attempts = id % 2");
    test::claiming_session c{db, jobs.lanes().value()};
    const auto got = c.claim(n);
    REQUIRE(got.leases.size() == 1);
    REQUIRE(got.claimed() == n);
    for (const auto& job : got.leases[0].jobs) {
        const auto i = number_of.at(static_cast<std::size_t>(job.id.value - first));
        CAPTURE(alike, i);
        CHECK(job.body.find("\"n\":" + std::to_string(i)) != std::string_view::npos);
        CHECK(job.rank.priority() == (alike ? 0 : i % 5));
        CHECK(job.attempt == (alike ? 1 : 1 + job.id.value % 2));
        REQUIRE(job.headers.size() == (i % 3 == 0 ? 1u : 0u));
        if (i % 3 == 0) CHECK(job.headers[0].value == std::to_string(i));
    }
}

TEST_CASE("each job of a claim has its enqueue time, however many times the claim has", "[integration][claim]") {
    const test::database db;
    test::note_queue<> jobs{db.driver()};
    // Sizes of calls: one time, two, two with one job at an end, three, one for each job; and jobs that went back.
    const auto sizes =
        GENERATE(std::vector<std::size_t>{4}, std::vector<std::size_t>{3, 3}, std::vector<std::size_t>{1, 4},
                 std::vector<std::size_t>{4, 1}, std::vector<std::size_t>{2, 2, 2}, std::vector<std::size_t>{1, 1},
                 std::vector<std::size_t>{1, 1, 1, 1});
    const bool turned = GENERATE(false, true);
    std::size_t n = 0;
    for (const auto size : sizes) {
        (void)jobs.enqueue(std::vector<test::note>(size)).value();
        n += size;
    }
    if (turned) db.exec("UPDATE {s}.ready SET rank = rank + 1 WHERE id % 2 = 0");
    std::map<std::int64_t, std::int64_t> stored;
    for (std::size_t i = 0; i < n; ++i) {
        const auto at = " ORDER BY id LIMIT 1 OFFSET " + std::to_string(i);
        stored[db.query_int("SELECT id FROM {s}.ready" + at)] =
            db.query_int("SELECT (extract(epoch FROM enqueued_at) * 1000000)::int8 FROM {s}.ready" + at);
    }
    test::claiming_session c{db, jobs.lanes().value()};
    const auto got = c.claim(static_cast<std::uint32_t>(n));
    REQUIRE(got.claimed() == n);
    for (const auto& lease : got.leases)
        for (const auto& job : lease.jobs) CHECK(job.enqueued_at.time_since_epoch().count() == stored.at(job.id.value));
}

TEST_CASE("a lease stores equal ranks, attempts and times once, and its jobs keep them", "[integration][claim]") {
    const test::database db;
    test::note_queue<> jobs{db.driver()};
    const bool alike = GENERATE(true, false);
    const bool packed = GENERATE(false, true);
    (void)jobs.enqueue(std::vector<test::note>(6), {.priority = 3, .packed = packed}).value();
    if (!alike) (void)jobs.enqueue(std::vector<test::note>(6), {.priority = 4}).value();
    // Per job: priority, attempts, enqueue time. The claim counts an attempt.
    const auto jobs_as_seen = [&](const std::string& attempts) {
        return db.query_text("SELECT string_agg(concat_ws(' ', id, priority, " + attempts +
                             ", extract(epoch FROM enqueued_at)), ',' ORDER BY id) FROM {s}.job");
    };
    const auto before = jobs_as_seen("attempts + 1");
    test::claiming_session c{db, jobs.lanes().value()};
    const auto got = c.claim(12);
    REQUIRE(got.leases.size() == 1);
    const int stored = alike ? 1 : 12;
    CHECK(db.query_int("SELECT cardinality(ranks) FROM {s}.lease") == stored);
    CHECK(db.query_int("SELECT cardinality(enqueued_at) FROM {s}.lease") == stored);
    CHECK(db.query_int("SELECT cardinality(attempts) FROM {s}.lease") == 1);
    CHECK(jobs_as_seen("attempts") == before);
    std::vector<pgq::settlement> released;
    for (const auto& job : got.leases[0].jobs)
        released.push_back({.index = job.index, .kind = pgq::settle_kind::release});
    const pgq::lease_progress all{
        .ref = got.leases[0].ref, .last = true, .mask = alike ? "\x3f" : "\xff\x0f", .items = released};
    (void)c.sync({.progressed = {&all, 1}});
    CHECK(db.query_int("SELECT count(*) FROM {s}.lease") == 0);
    CHECK(jobs_as_seen("attempts + 1") == before);
}

}  // namespace integration_claim_answer
