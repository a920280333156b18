#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <pgq/driver/pq/session/caller_transaction.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace stress_tracked {

using namespace std::chrono_literals;
using pgq::unique;
using test::claiming_session;
using test::database;
using test::note;

namespace {

using queue = pgq::queue<note, pgq::driver::libpq, pgq::serializer::json>;

// Up to 300 us, so that either of two threads may be first.
void stagger(std::minstd_rand& random) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds{random() % 300};
    while (std::chrono::steady_clock::now() < until) {}
}

// `rounds` times: `prepare`, then both threads at the same moment, then `judge`.
void race(int rounds, const std::function<void()>& prepare, const std::function<void()>& one,
          const std::function<void()>& other, const std::function<void()>& judge) {
    std::barrier gate{2};
    std::jthread second{[&] {
        std::minstd_rand random{2};
        for (int i = 0; i < rounds; ++i) {
            gate.arrive_and_wait();
            stagger(random);
            other();
            gate.arrive_and_wait();
        }
    }};
    std::minstd_rand random{1};
    for (int i = 0; i < rounds; ++i) {
        prepare();
        gate.arrive_and_wait();
        stagger(random);
        one();
        gate.arrive_and_wait();
        judge();
    }
}

// Acknowledges the one job of a lease as done, as a worker does: if the lease has moved, it looks for it.
bool finish(claiming_session& c, pgq::sync_reply& claimed) {
    for (int tries = 0; tries < 10; ++tries) {
        const pgq::settlement done{.kind = pgq::settle_kind::done};
        const pgq::lease_progress p{
            .ref = claimed.leases.at(0).ref, .last = true, .mask = "\1", .items = {&done, 1}, .flagged = true};
        if (c.sync({.progressed = {&p, 1}}).lost.empty()) return true;
        const auto now = c.line().lease_updates(c.id()).value();
        if (now.empty()) return false;
        claimed.leases[0].ref = now[0].ref;
    }
    return false;
}

constexpr int rounds = 2000;

}  // namespace

TEST_CASE("a child that is enqueued while its parent ends always becomes ready", "[stress][flow]") {
    const database db;
    queue jobs{db.driver()}, others{db.driver()};
    claiming_session c{db, jobs.lanes().value()};
    (void)others.lanes().value();
    std::vector<pgq::job_id> parent;
    pgq::sync_reply claimed;
    int blocked = 0;
    const bool tracked = GENERATE(true, false);
    race(
        rounds,
        [&] {
            parent = {jobs.enqueue(note{.n = 1}, {.keep_outcome = tracked ? 1min : 0min}).value()};
            claimed = c.claim(1);
            REQUIRE(claimed.claimed() == 1);
        },
        [&] { CHECK(finish(c, claimed)); }, [&] { (void)others.enqueue(note{.n = 2}, {.after = parent}).value(); },
        [&] {
            const auto child = c.claim(2);
            blocked += child.claimed() == 1 ? 0 : 1;
            CHECK(child.claimed() == 1);
            if (child.claimed() != 1) return;
            auto mine = child;
            CHECK(finish(c, mine));
        });
    CHECK(blocked == 0);
    CHECK(db.rows("dependency") == 0);
    CHECK(db.rows("tracked") == 0);
    CHECK(db.is_empty());
}

TEST_CASE("a unique key that is released while a caller asks for it has one job or is free, and no job is lost",
          "[stress][unique]") {
    const database db;
    queue jobs{db.driver()}, others{db.driver()};
    claiming_session c{db, jobs.lanes().value()};
    (void)others.lanes().value();
    pgq::sync_reply claimed;
    bool fresh = false;
    int new_jobs = 0;
    race(
        rounds,
        [&] {
            REQUIRE(jobs.enqueue(note{}, {.unique_key = "k"}).value().is_new());
            claimed = c.claim(1);
        },
        [&] { CHECK(finish(c, claimed)); },
        [&] { fresh = others.enqueue(note{}, {.unique_key = "k"}).value().is_new(); },
        [&] {
            new_jobs += fresh ? 1 : 0;
            auto next = c.claim(2);
            CHECK(next.claimed() == (fresh ? 1u : 0u));
            if (fresh) CHECK(finish(c, next));
            CHECK(db.rows("unique_key") == 0);
        });
    CHECK(new_jobs > 0);
    CHECK(new_jobs < rounds);
    CHECK(db.rows("tracked") == 0);
    WARN(new_jobs << " of " << rounds << " came after the release");
}

TEST_CASE("a job that is cancelled while it finishes ends once, as done or cancelled, and its waiter receives that",
          "[stress][cancel]") {
    const database db;
    queue jobs{db.driver()}, others{db.driver()};
    claiming_session c{db, jobs.lanes().value()};
    (void)others.lanes().value();
    pgq::sync_reply claimed;
    pgq::job_id id;
    pgq::cancel_reply said;
    int asked = 0;
    race(
        rounds,
        [&] {
            id = jobs.enqueue(note{}, {.keep_outcome = 1min}).value();
            claimed = c.claim(1);
        },
        [&] { CHECK(finish(c, claimed)); }, [&] { said = others.cancel(id).value(); },
        [&] {
            asked += static_cast<int>(said.stopping);
            CHECK(said.removed == 0);
            CHECK(jobs.wait_for(id, 0s).value().kind == pgq::end_kind::done);
        });
    CHECK(asked > 0);
    CHECK(asked < rounds);
    CHECK(db.is_empty());
    CHECK(db.rows("tracked") == 0);
    WARN(asked << " of " << rounds << " were asked before they had finished");
}

TEST_CASE("a job that is cancelled while it is claimed is either deleted or told to stop", "[stress][cancel]") {
    const database db;
    queue jobs{db.driver()}, others{db.driver()};
    claiming_session c{db, jobs.lanes().value()};
    (void)others.lanes().value();
    pgq::job_id id;
    pgq::sync_reply claimed;
    pgq::cancel_reply said;
    int removed = 0;
    race(
        rounds, [&] { id = jobs.enqueue(note{}).value(); }, [&] { claimed = c.claim(1); },
        [&] { said = others.cancel(id).value(); },
        [&] {
            CHECK(said.removed + said.stopping == 1);
            CHECK(static_cast<std::int64_t>(claimed.claimed()) == said.stopping);
            removed += static_cast<int>(said.removed);
            if (claimed.claimed() == 1) CHECK(finish(c, claimed));
            CHECK(db.is_empty());
        });
    CHECK(removed > 0);
    CHECK(removed < rounds);
}

TEST_CASE("if an acknowledgement and a rescue meet, the job is done or ready again, never both", "[stress]") {
    const database db;
    queue jobs{db.driver()};
    const auto lane = jobs.lanes().value();
    auto rescuer = db.driver().connect(pgq::session_role::monitor).value();
    pgq::sync_reply claimed;
    pgq::job_id id;
    std::unique_ptr<claiming_session> c;
    bool acknowledged = false;
    int both = 0, done = 0;
    race(
        500,
        [&] {
            c = std::make_unique<claiming_session>(db, lane);
            id = jobs.enqueue(note{}, {.keep_outcome = 1min}).value();
            claimed = c->claim(1);
            REQUIRE(claimed.claimed() == 1);
            db.exec("UPDATE {s}.worker SET heartbeat_at = now() - interval '1 hour'");
        },
        [&] { acknowledged = finish(*c, claimed); }, [&] { (void)rescuer.rescue().value(); },
        [&] {
            const bool back = db.rows("ready") == 1;
            both += back == acknowledged ? 1 : 0;
            done += acknowledged ? 1 : 0;
            if (back) CHECK(jobs.cancel(id).value().removed == 1);
            CHECK(jobs.wait_for(id, 0s).value().kind == (back ? pgq::end_kind::cancelled : pgq::end_kind::done));
        });
    CHECK(both == 0);
    CHECK(done > 0);
    CHECK(done < 500);
    CHECK(db.rows("tracked") == 0);
}

TEST_CASE("two concurrent promotions move each job once", "[stress]") {
    const database db;
    queue jobs{db.driver()};
    claiming_session a{db, jobs.lanes().value()}, b{db, jobs.lanes().value()};
    std::uint32_t mine = 0, theirs = 0;
    race(
        300,
        [&] {
            (void)jobs.enqueue(test::notes(20), {.run_at = pgq::in(1h)}).value();
            db.exec("UPDATE {s}.deferred SET run_at = now()");
        },
        [&] { mine = a.sync({.promote = true}).promoted; }, [&] { theirs = b.sync({.promote = true}).promoted; },
        [&] {
            CHECK(mine + theirs == 20);
            CHECK(db.rows("ready") == 20);
            const auto all = a.claim(20);
            CHECK(all.claimed() == 20);
            (void)a.finish(all);
        });
}

TEST_CASE("no job is lost if one of several enqueues with one key rolls back", "[stress][unique]") {
    const database db;
    queue jobs{db.driver()}, others{db.driver()};
    claiming_session c{db, jobs.lanes().value()};
    (void)others.lanes().value();
    test::sql_connection mine{db.conninfo(), db.schema()};
    bool commits = false, fresh = false;
    int i = 0;
    race(
        500, [&] { commits = ++i % 2 == 0; },
        [&] {
            (void)mine.exec("BEGIN");
            (void)jobs.enqueue(pgq::within(mine.get()), note{}, {.unique_key = "k"}).value();
            (void)mine.exec(commits ? "COMMIT" : "ROLLBACK");
        },
        [&] { fresh = others.enqueue(note{}, {.unique_key = "k"}).value().is_new(); },
        [&] {
            auto claimed = c.claim(2);
            REQUIRE(claimed.claimed() == 1);
            if (!commits) CHECK(fresh);
            CHECK(finish(c, claimed));
            CHECK(db.rows("unique_key") == 0);
        });
    CHECK(db.rows("tracked") == 0);
}

TEST_CASE("concurrent enqueues into a bounded lane never exceed the bound", "[stress][bound]") {
    const database db;
    constexpr int bound = 25;
    std::atomic<int> in{0}, refused{0};
    std::vector<std::jthread> producers;
    for (int t = 0; t < 4; ++t)
        producers.emplace_back([&, t] {
            queue jobs{db.driver()};
            std::minstd_rand random{static_cast<unsigned>(t + 1)};
            for (int i = 0; i < 300; ++i) {
                stagger(random);
                const auto n = static_cast<std::int64_t>(1 + random() % 3);
                const auto put = jobs.enqueue(test::notes(n), {.at_most = bound});
                put ? in += static_cast<int>(n) : refused += put.error() == pgq::errc::lane_full ? 1 : 1000000;
            }
        });
    queue jobs{db.driver()};
    claiming_session c{db, jobs.lanes().value()};
    int out = 0;
    std::int64_t most = 0;
    std::jthread watcher{[&](std::stop_token stop) {
        test::sql_connection mine{db.conninfo(), db.schema()};
        while (!stop.stop_requested())
            most = std::max(most, mine.query_int("SELECT (SELECT count(*) FROM {s}.ready) + (SELECT "
                                                 "coalesce(sum(cardinality(ids)), 0) FROM {s}.lease)"));
    }};
    const auto drain = [&] {
        const auto some = c.claim(5);
        out += static_cast<int>(some.claimed());
        if (some.claimed() > 0) (void)c.finish(some);
    };
    while (std::any_of(producers.begin(), producers.end(), [](const auto& p) { return p.joinable(); })) {
        drain();
        if (in + refused >= 4 * 300) break;
    }
    producers.clear();
    while (!db.is_empty()) drain();
    watcher.request_stop();
    watcher.join();
    CHECK(most <= bound);
    CHECK(most >= bound - 2);
    CHECK(refused > 0);
    CHECK(refused < 1000000);
    CHECK(in == out);
}

}  // namespace stress_tracked
