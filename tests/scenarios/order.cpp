#include <pgq/executor/in_place.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace scenarios_order {

using namespace std::chrono_literals;
using test::claiming_session;
using test::database;
using test::enqueuing_session;
using test::letter;
using test::note;

namespace {

/// Threads that do the same thing at the same moment, round by round.
class race {
public:
    race(std::ptrdiff_t runners, const std::function<void(std::size_t)>& run)
        : start_{runners + 1}, finish_{runners + 1} {
        for (std::ptrdiff_t i = 0; i < runners; ++i)
            threads_.emplace_back([this, i, run] {
                for (;;) {
                    start_.arrive_and_wait();
                    if (over_) return;
                    try {
                        run(static_cast<std::size_t>(i));
                    } catch (const std::exception&) { ++failures_; }
                    finish_.arrive_and_wait();
                }
            });
    }
    ~race() {
        over_ = true;
        start_.arrive_and_wait();
    }
    void one_round() {
        start_.arrive_and_wait();
        finish_.arrive_and_wait();
    }
    int failures() const noexcept { return failures_; }

private:
    std::barrier<> start_;
    std::barrier<> finish_;
    std::atomic<bool> over_{false};
    std::atomic<int> failures_{0};
    std::vector<std::jthread> threads_;
};

}  // namespace

TEST_CASE("jobs of several entrypoints run by priority, and by age within a priority", "[scenario][s12]") {
    database db;
    pgq::queue<note, letter, pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place> jobs{db.driver()};
    std::vector<std::tuple<int, pgq::job_id>> wanted;  // negated priority, id
    for (std::int64_t i = 0; i < 100; ++i) {
        const auto priority = static_cast<std::int16_t>(i % 10);
        const pgq::job_id id = i % 3 == 0 ? jobs.enqueue(letter{.n = i}, {.priority = priority}).value().id()
                                          : jobs.enqueue(note{.n = i}, {.priority = priority}).value().id();
        wanted.emplace_back(-priority, id);
    }
    std::sort(wanted.begin(), wanted.end());

    std::vector<std::tuple<int, pgq::job_id>> found;
    const auto see = [&](const pgq::context& c) { found.emplace_back(-c.priority(), c.id()); };
    test::run_until_empty(
        jobs, {}, [&](const note&, pgq::context& c) { see(c); }, [&](const letter&, pgq::context& c) { see(c); });

    CHECK(found == wanted);
}

TEST_CASE("a claim over several lanes returns as many jobs as were asked for, if there are that many",
          "[scenario][s13]") {
    database db;
    enqueuing_session s{db.options()};
    const auto lanes = s.lanes(test::numbered("lane", 4));
    for (const auto lane : lanes) (void)s.enqueue(lane, test::numbered("job", 5));
    const auto asked = GENERATE(1u, 7u, 20u, 30u);

    claiming_session c{db, lanes};
    CHECK(c.claim(asked).claimed() == std::min(asked, 20u));
}

TEST_CASE("a worker of one entrypoint never gets a job of another", "[scenario][s14]") {
    database db;
    enqueuing_session s{db.options()};
    const auto lanes = s.lanes({"mine", "theirs"});
    (void)s.enqueue(lanes[1], test::numbered("theirs", 50), {.priority = 9});
    (void)s.enqueue(lanes[0], test::numbered("mine", 5));

    claiming_session c{db, {lanes[0]}};
    const auto got = c.claim(100);
    CHECK(got.claimed() == 5);
    for (const auto& l : got.leases)
        for (const auto& j : l.jobs) CHECK(j.body.starts_with("mine"));
    CHECK(c.claim(100).claimed() == 0);
    CHECK(s.ready(lanes[1]) == 50);
}

TEST_CASE("when two connections claim one job, exactly one gets it, a thousand times", "[scenario][s15][direct]") {
    database db;
    auto quick = db.options();
    quick.conninfo = database::settings_of(quick.conninfo, "options", "-c synchronous_commit=off");
    enqueuing_session s{quick};
    const auto lane = s.lanes({"contested"});
    claiming_session one{db, lane}, two{db, lane};
    claiming_session* const both[] = {&one, &two};
    std::size_t got[2] = {};
    race r{2, [&](std::size_t i) {
               const auto reply = both[i]->claim(1);
               got[i] = reply.claimed();
               if (got[i] != 0) (void)both[i]->finish(reply);
           }};
    int wrong = 0;
    for (int i = 0; i < 1000; ++i) {
        (void)s.enqueue(lane[0], {"the one"});
        r.one_round();
        wrong += got[0] + got[1] == 1 ? 0 : 1;
    }
    CHECK(wrong == 0);
    CHECK(r.failures() == 0);
    CHECK(db.is_empty());
}

TEST_CASE("a worker without prefetch never holds more jobs than it has threads", "[scenario][s18]") {
    database db;
    test::note_queue<> jobs{db.driver(), {}, pgq::executor::thread_pool{5}};
    (void)jobs.enqueue(test::notes(60)).value();
    test::gate gate;
    test::run_log seen;
    test::running_worker w{jobs, pgq::worker_options{.poll_interval = 50ms, .max_prefetch = 0},
                           [&](const note& n, const pgq::context& c) {
                               gate.pass(c);
                               seen.add(n.n, c);
                           }};

    REQUIRE(test::eventually([&] { return gate.waiting() == 5; }));
    CHECK(test::always(300ms, [&] { return db.leased() == 5 && db.rows("ready") == 55; }));
    gate.open();
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(seen.each_ran_once(60));
    CHECK(jobs.observer()->most_in_flight <= 5);
}

TEST_CASE("other workers can claim the jobs of a dead worker after its lease time", "[scenario][s19]") {
    database db;
    enqueuing_session s{db.options()};
    const auto lane = s.lanes({"stale"});
    (void)s.enqueue(lane[0], test::numbered("job", 5));
    claiming_session dead{db, lane, 100ms};
    REQUIRE(dead.claim(5).claimed() == 5);
    claiming_session alive{db, lane};
    CHECK(alive.claim(5).claimed() == 0);

    pgq::rescue_reply rescued;
    REQUIRE(test::eventually([&] { return (rescued = alive.line().rescue().value()).workers == 1; }));
    CHECK(rescued.returned == 5);
    CHECK(alive.claim(5).claimed() == 5);
}

TEST_CASE("with four workers and eight short lanes no claim is empty or short while jobs wait", "[scenario][s20]") {
    database db;
    enqueuing_session s{db.options()};
    const auto lanes = s.lanes(test::numbered("lane", 8));
    std::vector<std::unique_ptr<claiming_session>> workers;
    for (int i = 0; i < 4; ++i) workers.push_back(std::make_unique<claiming_session>(db, lanes));
    std::size_t got[4] = {};
    race r{4, [&](std::size_t i) {
               const auto reply = workers[i]->claim(10);
               got[i] = reply.claimed();
               (void)workers[i]->finish(reply);
           }};

    int empty = 0, brief = 0;
    for (int i = 0; i < 40; ++i) {
        for (const auto lane : lanes) (void)s.enqueue(lane, test::numbered("job", 10));
        r.one_round();  // 80 ready, at least 40 at any time
        for (auto n : got) empty += n == 0 ? 1 : 0, brief += n < 10 ? 1 : 0;
        r.one_round();
        claiming_session& last = *workers[0];
        for (auto rest = last.claim(100); rest.claimed() != 0; rest = last.claim(100)) (void)last.finish(rest);
    }
    CHECK(empty == 0);
    CHECK(brief == 0);
    CHECK(r.failures() == 0);
    CHECK(db.is_empty());
}

TEST_CASE("a rescued old job with high priority is claimed before new jobs with low priority", "[scenario][s37]") {
    database db;
    enqueuing_session s{db.options()};
    const auto lane = s.lanes({"stale"});
    const auto old = s.enqueue(lane[0], {"old"}, {.priority = 7});
    claiming_session dead{db, lane, 100ms};
    REQUIRE(dead.claim(1).claimed() == 1);
    (void)s.enqueue(lane[0], test::numbered("fresh", 20));

    claiming_session alive{db, lane};
    REQUIRE(test::eventually([&] { return alive.line().rescue().value().workers == 1; }));
    const auto got = alive.claim(1);
    REQUIRE(got.claimed() == 1);
    CHECK(got.leases[0].jobs[0].id == old[0]);
    CHECK(got.leases[0].jobs[0].attempt == 2);
    CHECK(got.leases[0].jobs[0].rank.priority() == 7);
}

}  // namespace scenarios_order
