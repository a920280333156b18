#include <pgq/limiter/global_concurrency.hpp>
#include <pgq/worker.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace scenarios_many_names {

using namespace std::chrono_literals;
using test::letter;
using test::note;

namespace {

using tenant_queue = pgq::queue<note, letter, pgq::driver::libpq, pgq::serializer::json>;

tenant_queue named(const test::database& db, std::string name) {
    return tenant_queue{db.driver(), {.name = std::move(name)}};
}

// How often each job of each name has run.
class tally {
public:
    void add(const pgq::context& c, std::int64_t n) {
        const std::lock_guard lock{mutex_};
        ++runs_[{std::string{c.queue_name()}, n}];
    }
    std::size_t size() const {
        const std::lock_guard lock{mutex_};
        return runs_.size();
    }
    bool each_once(std::size_t jobs) const {
        const std::lock_guard lock{mutex_};
        return runs_.size() == jobs &&
               std::all_of(runs_.begin(), runs_.end(), [](const auto& r) { return r.second == 1; });
    }
    bool all_start_with(std::string_view prefix) const {
        const std::lock_guard lock{mutex_};
        return std::all_of(runs_.begin(), runs_.end(),
                           [&](const auto& r) { return r.first.first.starts_with(prefix); });
    }

private:
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::int64_t>, int> runs_;
};

auto notes_of(tally& t) {
    return [&t](const note& n, const pgq::context& c) { t.add(c, n.n); };
}
auto letters_of(tally& t) {
    return [&t](const letter& n, const pgq::context& c) { t.add(c, 1'000'000 + n.n); };
}

}  // namespace

TEST_CASE("one worker serves many queue names, and those that come later wake it", "[scenario][names][direct]") {
    const test::database db;
    for (int i = 0; i < 10; ++i) (void)named(db, "tenant-" + std::to_string(i)).enqueue(test::notes(200)).value();
    (void)named(db, "other").enqueue(note{}).value();
    auto jobs = named(db, "unused");
    const auto names = pgq::queue_names::with_prefix("tenant-");
    tally seen;
    test::running_worker w{jobs, {.poll_interval = 1h, .queues = &names}, notes_of(seen), letters_of(seen)};
    REQUIRE(test::eventually([&] { return seen.size() == 2000; }));

    for (int i = 10; i < 20; ++i) {
        (void)named(db, "tenant-" + std::to_string(i)).enqueue(letter{.n = i}).value();
        REQUIRE(test::eventually(2s, [&] { return seen.size() == 2000 + static_cast<std::size_t>(i) - 9; }));
    }
    CHECK(w.stop());
    CHECK(seen.each_once(2010));
    CHECK(seen.all_start_with("tenant-"));
    CHECK(db.rows("ready") + db.rows("pack") == 1);
}

TEST_CASE("of two sleeping workers each is woken for its own names", "[scenario][names][direct]") {
    const test::database db;
    auto jobs = named(db, "unused");
    const auto these = pgq::queue_names::with_prefix("a"), those = pgq::queue_names::of({"b1", "b2"});
    tally seen_by_first, seen_by_second;
    test::running_worker first{
        jobs, {.poll_interval = 1h, .queues = &these}, notes_of(seen_by_first), letters_of(seen_by_first)};
    test::running_worker second{
        jobs, {.poll_interval = 1h, .queues = &those}, notes_of(seen_by_second), letters_of(seen_by_second)};
    for (std::int64_t i = 0; i < 20; ++i) {
        (void)named(db, "a" + std::to_string(i)).enqueue(note{.n = i}).value();
        (void)named(db, i % 2 == 0 ? "b1" : "b2").enqueue(note{.n = i}).value();
        const auto n = static_cast<std::size_t>(i) + 1;
        REQUIRE(test::eventually([&] { return seen_by_first.size() == n && seen_by_second.size() == n; }));
    }
    CHECK(first.stop());
    CHECK(second.stop());
    CHECK(seen_by_first.each_once(20));
    CHECK(seen_by_first.all_start_with("a"));
    CHECK(seen_by_second.all_start_with("b"));
}

TEST_CASE("a name that comes while the worker is busy with others is served before those have ended",
          "[scenario][names]") {
    const test::database db;
    auto busy = named(db, "busy");
    (void)busy.enqueue(test::notes(50'000), {.priority = 9}).value();
    const auto names = pgq::queue_names::all();
    std::atomic<bool> came{false};
    std::atomic<int> ran{0};
    test::running_worker w{busy,
                           {.queues = &names},
                           [&](const note&) {
                               ++ran;
                               std::this_thread::sleep_for(100us);
                           },
                           [&](const letter&) { came = true; }};
    REQUIRE(test::eventually([&] { return ran > 100; }));
    (void)named(db, "quiet").enqueue(letter{}).value();
    CHECK(test::eventually([&] { return came.load(); }));
    CHECK(ran < 50'000);
}

TEST_CASE("a worker of many names works on after its connection broke", "[scenario][names][direct]") {
    const test::database db;
    auto jobs = named(db, "unused");
    const auto names = pgq::queue_names::all();
    tally seen;
    test::running_worker w{jobs, {.poll_interval = 1h, .queues = &names}, notes_of(seen), letters_of(seen)};
    (void)named(db, "a").enqueue(note{.n = 1}).value();
    REQUIRE(test::eventually([&] { return seen.size() == 1; }));
    db.exec(
        "SELECT pg_terminate_backend(l.pid) FROM pg_locks l, {s}.worker w"
        " WHERE l.locktype = 'advisory' AND l.objid = w.id::oid AND l.objsubid = 2"
        "   AND l.classid = to_regnamespace('{q}')::oid"  // other schemas have workers with these ids, too
        "   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())");
    (void)named(db, "a").enqueue(note{.n = 2}).value();
    (void)named(db, "b").enqueue(note{.n = 3}).value();
    CHECK(test::eventually([&] { return seen.size() == 3; }));
}

TEST_CASE("a worker of many names leaves a name with limits alone", "[scenario][names]") {
    const test::database db;
    auto limited = named(db, "limited");
    auto session = db.driver().connect(pgq::session_role::client).value();
    const pgq::lane_limit one{"note", {.kind = pgq::limit_kind::running, .amount = 1}};
    (void)session.limits("limited", {&one, 1}).value();
    (void)limited.enqueue(note{}).value();
    (void)named(db, "free").enqueue(note{.n = 7}).value();
    auto jobs = named(db, "unused");
    const auto names = pgq::queue_names::all();
    tally seen;
    pgq::worker w{jobs, pgq::worker_options{.until = pgq::run_until::empty, .queues = &names}, notes_of(seen),
                  letters_of(seen)};
    w.run().value();
    CHECK(seen.each_once(1));
    CHECK(seen.all_start_with("free"));
    CHECK(db.rows("ready") == 1);
}

}  // namespace scenarios_many_names
