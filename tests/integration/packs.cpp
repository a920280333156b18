#include <pgq/driver/libpq.hpp>
#include <pgq/executor/in_place.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <vector>

// tests/laws/driver_libpq_packed.cpp shows that packed jobs behave like other jobs. This file shows which jobs are
// packed, and what that costs.
namespace integration_packs {

using namespace std::chrono_literals;
using pgq::lane_counts;
using test::database;
using test::note;
using test::notes;

namespace {

constexpr pgq::enqueue_options packed{.packed = true};

std::vector<pgq::job_id> ids_of(const pgq::sync_reply& reply) {
    std::vector<pgq::job_id> all;
    for (const auto& lease : reply.leases)
        for (const auto& job : lease.jobs) all.push_back(job.id);
    return all;
}

/// A queue that runs its jobs one after the other.
using strict_queue = pgq::queue<note, pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place>;

}  // namespace

TEST_CASE("packed jobs share rows, at most a hundred per row, and come back unchanged", "[enqueue][packs]") {
    const database db;
    strict_queue jobs{db.driver()};
    const auto put = jobs.enqueue(notes(250), packed).value();
    CHECK(db.rows("pack") == 3);
    CHECK(db.query_int("SELECT min(n) FROM {s}.pack") == 83);
    CHECK(db.rows("ready") == 0);
    CHECK(std::is_sorted(put.begin(), put.end()));
    CHECK(jobs.counts<note>().value() == lane_counts{.ready = 250});
    CHECK(db.query_int("SELECT count(*) FROM {s}.job WHERE state = 'ready' AND entrypoint = 'note'") == 250);
    test::run_log run_log;
    test::run_until_empty(jobs, {}, [&](const note& n, const pgq::context& c) { run_log.add(n.n, c, n.text); });
    const auto all = run_log.all();
    REQUIRE(all.size() == 250);
    for (std::size_t i = 0; i < 250; ++i) {
        const auto& seen = all[i];
        CAPTURE(i);
        CHECK(seen.n == static_cast<std::int64_t>(i));
        CHECK(seen.id == put[i]);
        CHECK(seen.text == "note " + std::to_string(i));
        CHECK(seen.attempt == 1);
    }
    CHECK(db.is_empty());
}

TEST_CASE("a job that has more than a priority, is large or comes alone has its own row", "[enqueue][packs]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    const std::array header{pgq::header{"a", "b"}};
    SECTION("a few jobs") { jobs.enqueue(notes(9), packed).value(); }
    SECTION("headers") { jobs.enqueue(notes(9), {.headers = header, .packed = true}).value(); }
    SECTION("large payloads") { jobs.enqueue(std::vector(9, note{.text = std::string(250, 'x')}), packed).value(); }
    SECTION("a deadline") { jobs.enqueue(notes(9), {.expected_at = pgq::in(1h), .packed = true}).value(); }
    SECTION("a stored outcome") { jobs.enqueue(notes(9), {.keep_outcome = 1h, .packed = true}).value(); }
    SECTION("a transaction on the caller's connection") {
        jobs.lanes().value();
        jobs.enqueue(pgq::within(db.connection()), notes(9), packed).value();
    }
    CHECK(db.rows("pack") == 0);
    CHECK(db.rows("ready") == 9);
    jobs.enqueue(notes(10), packed).value();
    CHECK(db.rows("pack") == 1);
}

TEST_CASE("packed jobs run by priority among other jobs", "[enqueue][packs][order]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    jobs.enqueue(notes(20), packed).value();
    const auto urgent = jobs.enqueue(note{.n = 100}, {.priority = 1}).value().id();
    const auto later = jobs.enqueue(note{.n = 200}).value().id();
    const auto first = jobs.enqueue(notes(20), {.priority = 2, .packed = true}).value();
    const auto last = jobs.enqueue(notes(20), packed).value();
    test::claiming_session c{db, jobs.lanes().value()};
    CHECK(std::ranges::equal(ids_of(c.claim(20)), first));
    const auto next = ids_of(c.claim(5));
    CHECK(next.front() == urgent);
    CHECK(next.size() == 5);
    std::vector<pgq::job_id> rest;
    for (auto got = ids_of(c.claim(9)); !got.empty(); got = ids_of(c.claim(9)))
        rest.insert(rest.end(), got.begin(), got.end());
    REQUIRE(rest.size() == 16 + 1 + 20);
    CHECK(rest[16] == later);
    CHECK(rest.back() == last.back());
    CHECK(std::is_sorted(rest.begin(), rest.end()));
}

TEST_CASE("a claim returns as many jobs as it asked for, from packs of any size and single jobs", "[packs][claim]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    std::size_t all = 0;
    for (const std::int64_t n : {10, 1, 37, 100, 3, 250, 11}) {
        jobs.enqueue(notes(n), packed).value();
        all += static_cast<std::size_t>(n);
    }
    test::claiming_session c{db, jobs.lanes().value()};
    std::vector<pgq::job_id> seen;
    for (const std::uint32_t limit : {1u, 7u, 100u, 30u, 200u}) {
        const auto got = c.claim(limit);
        CHECK(got.claimed() == limit);
        CHECK(got.leases.size() == 1);
        const auto ids = ids_of(got);
        seen.insert(seen.end(), ids.begin(), ids.end());
    }
    const auto rest = ids_of(c.claim(1000));
    seen.insert(seen.end(), rest.begin(), rest.end());
    CHECK(seen.size() == all);
    CHECK(std::is_sorted(seen.begin(), seen.end()));
    CHECK(db.rows("pack") == 0);
}

TEST_CASE("a caller can find, cancel and wait for a job of a pack", "[packs][cancel]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    const auto put = jobs.enqueue(notes(30), packed).value();
    CHECK(jobs.find_all<note>().value().size() == 30);
    CHECK(jobs.cancel(std::array{put[3], put[29]}).value().removed == 2);
    CHECK(jobs.counts<note>().value() == lane_counts{.ready = 28});
    CHECK(jobs.cancel(std::array{put[3]}).value().removed == 0);
    const auto more = jobs.enqueue(notes(30), packed).value();
    auto waited = std::async(std::launch::async, [&] { return more(7).wait(20s); });
    test::run_log run_log;
    test::running_worker w{jobs, pgq::worker_options{},
                           [&](const note& n, const pgq::context& c) { run_log.add(n.n, c); }};
    CHECK(waited.get().has_value());
    CHECK(test::eventually(20s, [&] { return run_log.size() == 58; }));
    CHECK(w.stop());
}

TEST_CASE("packed jobs of a transaction appear with its commit or not at all", "[packs][transaction]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    const bool commits = GENERATE(true, false);
    const auto done = jobs.transaction([&](auto& tx) -> pgq::result<void> {
        CHECK(tx.enqueue(notes(120), packed).value().size() == 120);
        CHECK(db.rows("pack") == 0);
        if (!commits) return pgq::errc::invalid_option;
        return {};
    });
    CHECK(done.has_value() == commits);
    CHECK(jobs.counts<note>().value().ready == (commits ? 120 : 0));
    CHECK(db.rows("pack") == (commits ? 2 : 0));
}

TEST_CASE("a packed job can be taken in the caller's own transaction", "[packs][within]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    const bool filtered = GENERATE(false, true);
    const auto put = jobs.enqueue(notes(30), packed).value();
    CHECK(db.rows("pack") == 1);
    const pgq::filter which = filtered ? pgq::id_in({put[7]}) : pgq::filter{};
    (void)db.exec("BEGIN");
    const auto taken = jobs.take<note>(pgq::within(db.connection()), {.where = which}).value();
    REQUIRE(taken.has_value());
    CHECK(taken->id() == (filtered ? put[7] : put[0]));
    CHECK(taken->value().n == (filtered ? 7 : 0));
    const bool commits = GENERATE(true, false);
    (void)db.exec(commits ? "COMMIT" : "ROLLBACK");
    CHECK(jobs.counts<note>().value().ready == (commits ? 29 : 30));
}

TEST_CASE("a bounded lane counts packed jobs", "[packs][at_most]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    jobs.enqueue(notes(50), packed).value();
    CHECK(jobs.enqueue(note{}, {.at_most = 50}).error() == pgq::errc::lane_full);
    jobs.enqueue(note{}, {.at_most = 51}).value();
}

TEST_CASE("packed jobs wake a sleeping worker, and a busy worker finds them", "[packs][wake][direct]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    test::run_log run_log;
    test::running_worker w{jobs, pgq::worker_options{.poll_interval = 1h},
                           [&](const note& n, const pgq::context& c) { run_log.add(n.n, c); }};
    for (std::size_t round = 1; round <= 20; ++round) {
        jobs.enqueue(notes(40), packed).value();
        if (round % 2 == 0) jobs.enqueue(note{}).value();
        REQUIRE(test::eventually(20s, [&] { return run_log.size() == 40 * round + round / 2; }));
    }
    CHECK(w.stop());
}

TEST_CASE("workers that share packs, and unpack those that they have no room for, run each job once", "[packs][race]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    const auto lanes = jobs.lanes().value();
    constexpr std::int64_t rounds = 40, each = 150;
    for (std::int64_t round = 0; round < rounds; ++round) {
        const auto put = jobs.enqueue(notes(each), packed).value();
        jobs.enqueue(notes(3)).value();
        std::array<std::vector<pgq::job_id>, 4> seen;
        std::atomic<std::int64_t> removed{0};
        std::atomic<bool> cancelled{false};
        {
            std::vector<std::jthread> all;
            for (std::size_t i = 0; i < seen.size(); ++i)
                all.emplace_back([&, i] {
                    test::claiming_session c{db, lanes};
                    // A claim passes over jobs that a cancel has locked.
                    for (int empty = 0; empty < 3 || !cancelled;) {
                        const auto got = c.claim(static_cast<std::uint32_t>(1 + 13 * i));
                        for (const auto id : ids_of(got)) seen[i].push_back(id);
                        (void)c.finish(got);
                        empty = got.leases.empty() ? empty + 1 : 0;
                    }
                });
            all.emplace_back([&] {
                for (std::size_t i = 0; i < put.size(); i += 50)
                    removed += jobs.cancel(std::array{put[i]}).value().removed;
                cancelled = true;
            });
        }
        std::map<pgq::job_id, int> times;
        for (const auto& some : seen)
            for (const auto id : some) ++times[id];
        REQUIRE(std::ranges::all_of(times, [](const auto& t) { return t.second == 1; }));
        REQUIRE(static_cast<std::int64_t>(times.size()) + removed == each + 3);
        REQUIRE(db.rows("ready") + db.rows("pack") == 0);
        db.exec("DELETE FROM {s}.lease");  // a pack with a job that should stop is not acknowledged by this
    }
}

}  // namespace integration_packs
