#include <pgq/driver/borrow.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/driver/pool.hpp>
#include <pgq/job/filter.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace scenarios_get {

using namespace std::chrono_literals;
using pgq::header_of;
using test::database;
using test::letter;
using test::note;

namespace {

using note_getter = pgq::queue<note, letter, pgq::driver::libpq, pgq::serializer::json, test::event_counts>;
using clock_type = std::chrono::steady_clock;

struct timed {
    std::optional<std::int64_t> n{};
    clock_type::duration took{};
};

template <class Queue>
timed get(Queue& jobs, const pgq::get_options& options = {}) {
    const auto begun = clock_type::now();
    auto got = jobs.template get<note>(options).value();
    return {.n = got ? std::optional{(*got)->n} : std::nullopt, .took = clock_type::now() - begun};
}

/// Calls `what` as soon as `subscribed_workers` callers sleep.
std::jthread once_asleep(const database& db, std::function<void()> what, std::int64_t subscribed_workers = 1) {
    return std::jthread{[&db, what = std::move(what), subscribed_workers] {
        const test::sql_connection own{test::dsn(), db.schema()};
        if (test::eventually([&] {
                return own.query_int(
                           "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                           " AND mode = 'ExclusiveLock' AND classid = to_regnamespace('{q}')::oid") ==
                       subscribed_workers;
            }))
            what();
    }};
}

}  // namespace

TEST_CASE("get returns an enqueued job with equal members and its id, and the database has it no more",
          "[scenario][get][pq1][pq2]") {
    database db;
    note_getter jobs{db.driver()};
    const std::array<pgq::header, 1> headers{{{"foo", "b\xC3\xA4r"}}};
    const auto first = jobs.enqueue(note{.n = 1, .text = "\xC3\xA4 \"quoted\""}, {.headers = headers}).value();
    const auto second = jobs.enqueue(note{.n = 2}).value();
    CHECK(second.value == first.value + 1);

    const auto got = jobs.get<note>().value();
    REQUIRE(got);
    CHECK(got->id() == first);
    CHECK(got->value().text == "\xC3\xA4 \"quoted\"");
    CHECK(got->header_value("foo") == "b\xC3\xA4r");
    CHECK(got->attempts() == 1);
    CHECK_FALSE(got->deadline());
    CHECK(jobs.get<note>().value()->id() == second);
    CHECK(db.is_empty());
}

TEST_CASE("get returns the job with the earliest expected_at first, jobs without expected_at last",
          "[scenario][get][pq3]") {
    database db;
    note_getter jobs{db.driver()};
    const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    for (const auto& [n, when] : std::vector<std::pair<std::int64_t, pgq::when>>{
             {1, pgq::in(1s)}, {2, pgq::in(2s)}, {3, pgq::in(3s)}, {6, {}}, {4, pgq::in(4s)}, {5, pgq::at(now + 5s)}})
        (void)jobs.enqueue(note{.n = n}, {.expected_at = when}).value();
    CHECK(jobs.counts<note>().value().ready == 6);
    for (std::int64_t n = 1; n <= 6; ++n) CHECK(get(jobs).n == n);
    CHECK_FALSE(get(jobs, {.timeout = 0s}).n);
}

TEST_CASE("get without a timeout ignores a job that is due later", "[scenario][get][pq4]") {
    database db;
    note_getter jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}, {.run_at = pgq::in(6s)}).value();
    const auto got = get(jobs, {.timeout = 0s});
    CHECK_FALSE(got.n);
    CHECK(got.took < 6s);
}

TEST_CASE("a waiting get returns each job at its due time", "[scenario][get][pq5][pj14]") {
    database db;
    note_getter jobs{db.driver()};
    const auto begun = clock_type::now();
    for (const std::int64_t n : {0, 3, 1, 2}) (void)jobs.enqueue(note{.n = n}, {.run_at = pgq::in(n * 400ms)}).value();
    for (std::int64_t n = 0; n <= 3; ++n) {
        CHECK(get(jobs, {.timeout = 20s, .poll_interval = 20s}).n == n);
        const auto at = clock_type::now() - begun;
        CHECK(at >= n * 400ms);
        CHECK(at < n * 400ms + 10s);  // not with the next poll
    }
    const auto last = get(jobs, {.timeout = 300ms});
    CHECK_FALSE(last.n);
    CHECK(last.took >= 300ms);
}

TEST_CASE("a job that is due in a minute does not end a get early", "[scenario][get][pq6]") {
    database db;
    note_getter jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}, {.run_at = pgq::in(65s)}).value();
    const auto got = get(jobs, {.timeout = 6s});
    CHECK_FALSE(got.n);
    CHECK(got.took >= 6s);
    CHECK(got.took < 30s);
}

TEST_CASE("an enqueue wakes a get that waits for a delayed job", "[scenario][get][pq7][direct]") {
    database db;
    note_getter jobs{db.driver()}, other{db.driver()};
    (void)jobs.enqueue(note{.n = 1}, {.run_at = pgq::in(1h)}).value();
    clock_type::time_point put;
    const auto putter = once_asleep(db, [&] {
        put = clock_type::now();
        (void)other.enqueue(note{.n = 2}).value();
    });
    CHECK(get(jobs, {.timeout = 30s, .poll_interval = 30s}).n == 2);
    CHECK(clock_type::now() - put < 10s);
}

TEST_CASE("get returns at once if there is a job, and otherwise ends at its timeout, whatever other callers do",
          "[scenario][get][pq8][defect2]") {
    database db;
    note_getter jobs{db.driver()}, elsewhere{db.driver(), {.name = "elsewhere"}};
    (void)jobs.enqueue(note{.n = 1}).value();
    const auto there = get(jobs, {.timeout = 30s, .poll_interval = 30s});
    CHECK(there.n == 1);
    CHECK(there.took < 10s);

    std::atomic<int> noises{0};
    std::jthread noise{[&](const std::stop_token& stop) {
        const test::sql_connection own{test::dsn(), db.schema()};
        while (!stop.stop_requested()) {
            (void)own.exec("SELECT pg_notify('pgq_' || to_regnamespace('{q}')::oid, '0')");
            (void)elsewhere.enqueue(note{.n = 0}).value();
            ++noises;
        }
    }};
    REQUIRE(test::eventually([&] { return noises > 3; }));
    const auto got = get(jobs, {.timeout = 1500ms});
    CHECK_FALSE(got.n);
    CHECK(got.took >= 1500ms);
    CHECK(got.took < 30s);
}

TEST_CASE("an enqueue of another process wakes a get, whatever its poll interval",
          "[scenario][get][pq9][pj18][direct]") {
    database db;
    note_getter jobs{db.driver()}, other{db.driver()};
    clock_type::time_point put;
    const auto in_transaction = GENERATE(false, true);
    const auto putter = once_asleep(db, [&] {
        put = clock_type::now();
        if (!in_transaction) return void(other.enqueue(note{.n = 1}).value());
        const test::sql_connection own{test::dsn(), db.schema()};
        (void)own.exec("BEGIN");
        (void)other.enqueue(pgq::within(own.get()), note{.n = 1}).value();
        (void)own.exec("COMMIT");
    });
    CHECK(get(jobs, {.timeout = 60s, .poll_interval = 60s}).n == 1);
    CHECK(clock_type::now() - put < 10s);
}

TEST_CASE("each get waits for its own timeout, not for the one of the get before", "[scenario][get][pq10][defect1]") {
    database db;
    note_getter jobs{db.driver()};
    // On a busy machine a get may take longer, but not each time.
    CHECK(test::eventually([&] { return get(jobs, {.timeout = 200ms}).took < 900ms; }));
    CHECK(get(jobs).took >= 1s);
    CHECK(test::eventually([&] {
        CHECK(get(jobs, {.timeout = 1500ms}).took >= 1500ms);
        return get(jobs, {.timeout = 0s}).took < 900ms;
    }));
}

TEST_CASE("two threads wait on one queue, each for its own timeout", "[scenario][get][defect1][defect6]") {
    database db;
    note_getter jobs{db.driver()};
    timed brief, lengthy;
    CHECK(test::eventually([&] {
        {
            std::jthread one{[&] { brief = get(jobs, {.timeout = 300ms}); }};
            std::jthread two{[&] { lengthy = get(jobs, {.timeout = 1500ms}); }};
        }
        CHECK(brief.took >= 300ms);
        CHECK(lengthy.took >= 1500ms);
        return brief.took < 1400ms;  // a busy machine may need another try
    }));
}

TEST_CASE("get without a timeout returns a job only after its enqueue has committed", "[scenario][get][pq11]") {
    database db;
    note_getter jobs{db.driver()};
    const test::sql_connection own{test::dsn(), db.schema()};
    (void)own.exec("BEGIN");
    (void)jobs.enqueue(pgq::within(own.get()), note{.n = 1}).value();
    CHECK_FALSE(get(jobs, {.timeout = 0s}).n);
    (void)own.exec("COMMIT");
    CHECK(get(jobs, {.timeout = 0s}).n == 1);
}

TEST_CASE("items() yields jobs one by one, an empty value at each timeout, and continues after it",
          "[scenario][get][pq12]") {
    database db;
    note_getter jobs{db.driver()};
    (void)jobs.enqueue(test::notes(3)).value();
    std::vector<std::int64_t> seen;
    int idle = 0;
    for (auto& job : jobs.items<note>({.timeout = 50ms})) {
        if (job) seen.push_back((*job)->n);
        else if (++idle == 1) (void)jobs.enqueue(note{.n = 3}).value();
        else if (idle == 3) break;
    }
    CHECK(seen == std::vector<std::int64_t>{0, 1, 2, 3});
    CHECK(idle == 3);
}

TEST_CASE("eight producers and four consumers: each job is returned exactly once", "[scenario][get][pq16]") {
    database db;
    note_getter jobs{db.driver()};
    std::array<std::vector<std::int64_t>, 4> got;
    {
        std::vector<std::jthread> threads;
        for (int p = 0; p < 8; ++p)
            threads.emplace_back([&, p] {
                note_getter mine{db.driver()};
                for (int i = 0; i < 100; ++i) (void)mine.enqueue(note{.n = p * 100 + i}).value();
            });
        std::atomic<int> left{800};
        for (auto& mine : got)
            threads.emplace_back([&] {
                while (left > 0)
                    if (auto job = jobs.get<note>({.timeout = 5s}).value()) --left, mine.push_back((*job)->n);
            });
        for (auto& t : threads) t.join();
    }
    std::vector<std::int64_t> all;
    for (const auto& mine : got) all.insert(all.end(), mine.begin(), mine.end());
    CHECK(all.size() == 800);
    CHECK(std::set<std::int64_t>(all.begin(), all.end()).size() == 800);
    CHECK(db.is_empty());
}

TEST_CASE("calls of one queue object that end at the same time without a job all return none", "[scenario][get]") {
    database db;
    note_getter jobs{db.driver()};
    std::atomic<int> without_a_job{0};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i)
            threads.emplace_back([&] {
                for (int n = 0; n < 3; ++n) {
                    const auto job = jobs.get<note>({.timeout = 1100ms});
                    if (job && !*job) ++without_a_job;
                }
            });
    }
    CHECK(without_a_job == 24);
}

TEST_CASE("a queue of any name can be enqueued into, read with get, and woken",
          "[scenario][get][pq21][defect8][direct]") {
    database db;
    const std::string name =
        GENERATE(as<std::string>{}, "with a space", std::string(64, 'x'), "\"double\" and 'single'",
                 "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4"
                 "\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6"
                 "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4"
                 "\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6");
    note_getter jobs{db.driver(), {.name = name}}, other{db.driver(), {.name = name}};
    const auto putter = once_asleep(db, [&] { (void)other.enqueue(note{.n = 1}).value(); });
    const auto got = get(jobs, {.timeout = 60s, .poll_interval = 60s});
    CHECK(got.n == 1);
    CHECK(got.took < 30s);
}

TEST_CASE("get is not slower with a hundred thousand waiting jobs", "[scenario][get][pq29][defect13][slow][alone]") {
    database db;
    auto quick = db.options();
    quick.conninfo = database::settings_of(quick.conninfo, "options", "-c synchronous_commit=off");
    note_getter jobs{pgq::driver::libpq{quick}};
    const auto median = [&](bool alone) {
        std::vector<clock_type::duration> times;
        for (int i = 0; i < 301; ++i) {
            if (alone) (void)jobs.enqueue(note{.n = 1}).value();
            times.push_back(get(jobs, {.timeout = 0s}).took);
        }
        std::nth_element(times.begin(), times.begin() + 150, times.end());
        return times[150];
    };
    const auto alone = median(true);
    (void)jobs.enqueue(test::notes(100'000)).value();
    const auto among_many = median(false);
    INFO("alone " << alone.count() / 1000 << " us, among many " << among_many.count() / 1000 << " us");
    CHECK(among_many < 2 * alone + 1ms);
}

TEST_CASE("a get with a filter returns only matching jobs, and the text of a header cannot break it",
          "[scenario][get][pj29]") {
    database db;
    note_getter jobs{db.driver()};
    const auto put = [&](std::int64_t n, std::vector<pgq::header> headers) {
        (void)jobs.enqueue(note{.n = n}, {.headers = headers}).value();
    };
    put(1, {{"foo", "BAD"}});
    put(2, {{"foo", "GOOD one"}, {"baz", "1"}});
    put(3, {{"foo", "BAD"}, {"baz", "abc"}});
    put(4, {});
    const auto good = header_of("foo").like("GOOD%");
    CHECK(get(jobs, {.where = good}).n == 2);
    CHECK_FALSE(get(jobs, {.timeout = 0s, .where = good}).n);
    CHECK(get(jobs, {.where = good || (header_of("baz").does_not_exist() && header_of("foo").exists())}).n == 1);
    CHECK_FALSE(get(jobs, {.timeout = 0s, .where = header_of("baz") == 1}).n);
    CHECK(get(jobs, {.where = header_of("'; DROP TABLE ready; --").does_not_exist()}).n == 3);
    CHECK(get(jobs).n == 4);
}

TEST_CASE("gets with filters pass on a wake-up for a job that they do not take", "[scenario][get][direct]") {
    database db;
    note_getter jobs{db.driver()}, other{db.driver()};
    std::array<timed, 3> got;
    const auto wants = [](std::string_view who) {
        return pgq::get_options{.timeout = 60s, .where = header_of("for") == who, .poll_interval = 60s};
    };
    std::jthread a{[&] { got[0] = get(jobs, wants("a")); }};
    std::jthread b{[&] { got[1] = get(jobs, wants("b")); }};
    std::jthread any{[&] { got[2] = get(jobs, {.timeout = 60s, .poll_interval = 60s}); }};
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 3; }));
    const auto begun = clock_type::now();
    (void)other.enqueue(note{.n = 1}).value();  // any of the three may be woken
    any.join();
    for (const char* who : {"b", "a"}) {
        const std::array<pgq::header, 1> headers{{{"for", who}}};
        (void)other.enqueue(note{.n = *who}, {.headers = headers}).value();
    }
    a.join();
    b.join();
    CHECK(got[0].n == 'a');
    CHECK(got[1].n == 'b');
    CHECK(got[2].n == 1);
    CHECK(clock_type::now() - begun < 10s);
}

TEST_CASE("an enqueue of ten jobs wakes all ten sleeping gets", "[scenario][get][direct]") {
    database db;
    note_getter jobs{db.driver()}, other{db.driver()};
    std::atomic<int> got{0};
    std::vector<std::jthread> getters;
    for (int i = 0; i < 10; ++i)
        getters.emplace_back([&] { got += get(jobs, {.timeout = 60s, .poll_interval = 60s}).n ? 1 : 0; });
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 10; }));
    const auto begun = clock_type::now();
    (void)other.enqueue(test::notes(10)).value();
    for (auto& g : getters) g.join();
    CHECK(got == 10);
    CHECK(clock_type::now() - begun < 20s);
}

TEMPLATE_TEST_CASE("every job is returned while gets start to sleep, time out and wake up", "[scenario][get][direct]",
                   pgq::driver::libpq, pgq::driver::memory) {
    database db;
    const auto driver = [&] {
        if constexpr (std::is_same_v<TestType, pgq::driver::libpq>) return db.driver();
        else return TestType{};
    }();
    pgq::queue<note, TestType, pgq::serializer::json> jobs{driver}, other{driver};
    std::atomic<int> got{0};
    std::atomic<bool> over{false};
    std::vector<std::jthread> getters;
    for (int i = 0; i < 5; ++i)
        getters.emplace_back([&, i] {
            // Two gets keep sleeping, two time out all the time, one takes only some jobs.
            pgq::get_options o{.timeout = i < 2 ? pgq::duration{60s} : pgq::duration{3ms}, .poll_interval = 60s};
            if (i == 4) o.timeout = 60s, o.where = header_of("odd").exists();
            while (!over)
                if (jobs.template get<note>(o).value()) ++got;
        });
    int put = 0, stranded = 0;
    const std::array<pgq::header, 1> odd{{{"odd", "yes"}}};
    for (int round = 0; round < 100; ++round) {
        const pgq::enqueue_options o{.run_at = round % 3 == 0 ? pgq::when{pgq::in(2ms)} : pgq::when{},
                                     .headers = round % 2 == 0 ? std::span<const pgq::header>{} : odd};
        (void)other.enqueue(test::notes(1 + round % 4), o).value();
        put += 1 + round % 4;
        if (!test::eventually(20s, [&] { return got == put; })) ++stranded;
    }
    CHECK(stranded == 0);
    over = true;
    for (auto& g : getters) {
        (void)other.enqueue(test::notes(5), {.headers = odd}).value();  // wakes the gets that still sleep
        g.join();
    }
}

TEST_CASE("get holds a job that it cannot read, with the reason, and returns the next one", "[scenario][get]") {
    database db;
    note_getter jobs{db.driver()};
    const auto lane = jobs.lanes().value();
    (void)jobs.enqueue(note{.n = 1}, {.priority = 1}).value();
    db.exec("UPDATE {s}.ready SET body = 'no json'");
    (void)jobs.enqueue(note{.n = 2}).value();
    CHECK(get(jobs, {.timeout = 0s}).n == 2);
    const auto held = jobs.held<note>().value();
    REQUIRE(held.size() == 1);
    CHECK(held[0].body == "no json");
    CHECK_THAT(held[0].reason, Catch::StartsWith("the payload cannot be read: "));
    CHECK(jobs.observer()->errors == 1);
    CHECK_FALSE(get(jobs, {.timeout = 0s}).n);
}

TEST_CASE("get returns only jobs of its own type, and jobs of other types do not wake it again and again",
          "[scenario][get][direct]") {
    database db;
    note_getter jobs{db.driver()}, other{db.driver()};
    (void)jobs.enqueue(letter{.n = 1}, {.priority = 9}).value();
    const auto putter = once_asleep(db, [&] {
        (void)other.enqueue(letter{.n = 2}).value();
        (void)other.enqueue(note{.n = 3}).value();
    });
    CHECK(get(jobs, {.timeout = 60s, .poll_interval = 60s}).n == 3);
    CHECK(jobs.counts<letter>().value().ready == 2);
}

TEST_CASE("a get whose registration was removed is woken all the same", "[scenario][get]") {
    database db;
    note_getter jobs{db.driver()}, other{db.driver()};
    CHECK_FALSE(get(jobs, {.timeout = 10ms}).n);
    REQUIRE(db.rows("worker") == 1);
    db.exec("DELETE FROM {s}.worker");
    std::jthread putter{[&] {
        // While it sleeps for the first time it does not know of its removal: it checks every few seconds.
        const test::sql_connection own{test::dsn(), db.schema()};
        (void)test::eventually([&] { return own.query_int("SELECT count(*) FROM {s}.worker") == 1; });
        (void)other.enqueue(note{.n = 1}).value();
    }};
    const auto got = get(jobs, {.timeout = 60s, .poll_interval = 1s});
    CHECK(got.n == 1);
}

TEST_CASE("a sleeping get whose connection breaks returns an error, and the next get works",
          "[scenario][get][direct]") {
    database db;
    note_getter jobs{db.driver()};
    CHECK_FALSE(get(jobs, {.timeout = 10ms}).n);
    (void)db.end_sessions();
    (void)jobs.get<note>({.timeout = 0s});
    CHECK_FALSE(get(jobs, {.timeout = 100ms}).n);
    std::optional<pgq::error_info> reported;
    std::jthread waiting{[&] {
        auto got = jobs.get<note>({.timeout = 60s});
        if (!got) reported = got.error();
    }};
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
    (void)db.end_sessions();
    waiting.join();
    REQUIRE(reported);
    CHECK(*reported == pgq::condition::transient);
    (void)jobs.enqueue(note{.n = 1});
    CHECK(test::eventually([&] { return jobs.enqueue(note{.n = 1}).has_value(); }));
    CHECK(get(jobs).n == 1);
}

TEST_CASE("gets over a pool borrow its connections to take jobs, and wait on other connections",
          "[scenario][get][pool][direct]") {
    database db;
    pgq::queue<note, pgq::driver::pool<pgq::driver::libpq>, pgq::serializer::json> jobs{
        pgq::driver::pool<pgq::driver::libpq>{db.driver(), {.max = 2}}};
    note_getter other{db.driver()};
    std::atomic<int> got{0};
    std::vector<std::jthread> getters;
    for (int i = 0; i < 4; ++i)
        getters.emplace_back([&] { got += get(jobs, {.timeout = 60s, .poll_interval = 60s}).n ? 1 : 0; });
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 4; }));
    CHECK(test::eventually(
        [&] { return jobs.driver().counts().lent == 0; }));  // a get subscribes before it returns its connection
    (void)other.enqueue(test::notes(4)).value();
    for (auto& g : getters) g.join();
    CHECK(got == 4);
}

TEST_CASE("get over a borrowed connection returns jobs that are ready or due, and cannot wait",
          "[scenario][get][borrow]") {
    database db;
    db.exec("SET client_encoding TO 'UTF8'");
    pgq::queue<note, pgq::driver::borrow, pgq::serializer::json> jobs{
        pgq::driver::borrow{db.connection(), {.schema = db.schema()}}};
    (void)jobs.enqueue(note{.n = 1}).value();
    (void)jobs.enqueue(note{.n = 2}, {.run_at = pgq::in(20ms)}).value();
    CHECK(get(jobs).n == 1);
    REQUIRE(test::eventually([&] { return get(jobs, {.timeout = 0s}).n == 2; }));
    CHECK(jobs.get<note>().error() == pgq::errc::invalid_option);

    (void)jobs.enqueue(note{.n = 3}).value();
    db.exec("BEGIN");
    CHECK(get(jobs, {.timeout = 0s}).n == 3);
    db.exec("ROLLBACK");
    CHECK(get(jobs, {.timeout = 0s}).n == 3);
}

TEST_CASE("get refuses options that are out of range", "[scenario][get]") {
    database db;
    note_getter jobs{db.driver()};
    for (const auto& o : {pgq::get_options{.timeout = -1s}, pgq::get_options{.poll_interval = 0s}}) {
        const auto answer = jobs.get<note>(o);
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error() == pgq::errc::invalid_option);
    }
}

TEST_CASE("a destroyed queue removes the registration of its gets", "[scenario][get]") {
    database db;
    {
        note_getter jobs{db.driver()};
        CHECK_FALSE(get(jobs, {.timeout = 10ms}).n);
        CHECK(db.rows("worker") == 1);
    }
    CHECK(db.has_no_worker());
}

}  // namespace scenarios_get
