#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>
#include <support/proxy.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace scenarios_enqueue {

using namespace std::chrono_literals;
using test::database;
using test::note;

namespace {

std::string body_of(const database& db, pgq::job_id id) {
    return db.query_text("SELECT convert_from(body, 'UTF8') FROM {s}.ready WHERE id = " + std::to_string(id.value));
}

}  // namespace

TEST_CASE("an enqueue of many jobs returns distinct ids in the order of its jobs, and wakes one sleeping worker",
          "[scenario][s1][direct]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    const auto lanes = jobs.lanes().value();
    std::vector<std::unique_ptr<test::claiming_session>> subscribed_workers;
    for (int i = 0; i < 3; ++i) {
        subscribed_workers.push_back(std::make_unique<test::claiming_session>(db, lanes));
        subscribed_workers.back()->subscribe_wakes();
    }

    const auto ids = jobs.enqueue(test::notes(1000)).value();

    REQUIRE(ids.size() == 1000);
    CHECK(std::adjacent_find(ids.begin(), ids.end(), [](auto a, auto b) { return a >= b; }) == ids.end());
    for (std::size_t i : {0u, 1u, 500u, 999u})
        CHECK(body_of(db, ids[i]).find("note " + std::to_string(i) + "\"") != std::string::npos);
    CHECK(db.rows("ready") == 1000);

    int woken = 0;
    CHECK(test::eventually([&] {
        for (auto& s : subscribed_workers) woken += s->receives_wake(1ms) ? 1 : 0;
        return woken > 0;
    }));
    for (auto& s : subscribed_workers) woken += s->receives_wake(100ms) ? 1 : 0;
    CHECK(woken == 1);
}

TEST_CASE("a job that is enqueued in the caller's transaction exists when that commits, and never when it rolls back",
          "[scenario][s2][direct]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    test::claiming_session sleeper{db, jobs.lanes().value()};
    sleeper.subscribe_wakes();
    const test::sql_connection mine{test::dsn(), db.schema()};

    (void)mine.exec("BEGIN");
    const auto lost = jobs.enqueue(pgq::within(mine.get()), note{.n = 1}).value();
    CHECK(db.rows("ready") == 0);
    (void)mine.exec("ROLLBACK");
    CHECK(db.rows("ready") == 0);
    CHECK_FALSE(sleeper.receives_wake(100ms));

    (void)mine.exec("BEGIN");
    const auto kept = jobs.enqueue(pgq::within(mine.get()), note{.n = 2}).value();
    CHECK_FALSE(sleeper.receives_wake(100ms));
    (void)mine.exec("COMMIT");
    CHECK(sleeper.receives_wake(test::test_timeout));
    CHECK(db.rows("ready") == 1);
    CHECK(db.query_int("SELECT id FROM {s}.ready") == kept.value);
    CHECK(kept > lost);
}

// unique_keys.cpp tests unique keys. This test shows that one bad element of any kind stops the whole batch.
TEST_CASE("one bad job near the end of ten thousand leaves none of them enqueued", "[scenario][s3][s4][s8][s9]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    const auto batch = test::notes(10'000);
    const std::array good{pgq::header{"trace", "abc"}};

    SECTION("a header with a zero byte") {
        const std::array bad{pgq::header{"trace", std::string_view{"a\0b", 3}}};
        const auto refused = jobs.enqueue(batch, [&](const note& n) {
            return pgq::enqueue_options{.headers = n.n == 9998 ? std::span<const pgq::header>{bad} : good};
        });
        REQUIRE_FALSE(refused);
        CHECK(refused.error() == pgq::errc::invalid_text);
    }
    SECTION("a header that is not UTF-8") {
        const std::array bad{pgq::header{"trace", "\xff\xfe"}};
        const auto refused = jobs.enqueue(batch, [&](const note& n) {
            return pgq::enqueue_options{.headers = n.n == 9998 ? std::span<const pgq::header>{bad} : good};
        });
        REQUIRE_FALSE(refused);
        CHECK(refused.error() == pgq::errc::invalid_text);
    }
    SECTION("two headers with one name") {
        const std::array bad{pgq::header{"trace", "a"}, pgq::header{"trace", "b"}};
        const auto refused = jobs.enqueue(batch, [&](const note& n) {
            return pgq::enqueue_options{.headers = n.n == 9998 ? std::span<const pgq::header>{bad} : good};
        });
        REQUIRE_FALSE(refused);
        CHECK(refused.error() == pgq::errc::invalid_option);
    }
    SECTION("a payload that is too large") {
        auto with_giant = batch;
        with_giant[9998].text.assign((std::size_t{16} << 20) + 1, 'x');
        const auto refused = jobs.enqueue(with_giant);
        REQUIRE_FALSE(refused);
        CHECK(refused.error() == pgq::errc::payload_too_large);
    }
    SECTION("a job that the server refuses") {
        db.exec("ALTER TABLE {s}.ready ADD CHECK (position('note 9998\"' IN convert_from(body, 'UTF8')) = 0)");
        const auto refused = jobs.enqueue(batch);
        REQUIRE_FALSE(refused);
        CHECK(refused.error() == pgq::condition::permanent);
    }
    CHECK(db.is_empty());
    CHECK(jobs.enqueue(note{.n = 1}).has_value());
}

TEST_CASE("enqueue reports bad input before it sends anything", "[scenario][s10]") {
    database db;
    test::proxy between;
    test::note_queue<> jobs{pgq::driver::libpq{between.options(db)}};
    (void)jobs.lanes().value();
    const int before = between.syncs();

    const std::array twice{pgq::header{"a", "1"}, pgq::header{"a", "2"}};
    CHECK(jobs.enqueue(note{}, {.headers = twice}).error() == pgq::errc::invalid_option);
    note giant;
    giant.text.assign((std::size_t{16} << 20) + 1, 'x');
    CHECK(jobs.enqueue(giant).error() == pgq::errc::payload_too_large);
    CHECK(jobs.enqueue(std::vector<note>{}).value().empty());

    CHECK(between.syncs() == before);
}

TEST_CASE("headers come back unchanged, and a job without headers comes back without", "[scenario][s11]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    const std::array odd{pgq::header{"trace", "abc"}, pgq::header{"", "no name"}, pgq::header{"empty", ""},
                         pgq::header{"quotes", "'\"\\{}[],$1;--\n"}, pgq::header{"\xc3\xbc", "\xf0\x9f\x90\x98"}};
    (void)jobs.enqueue(note{.n = 1}, {.headers = odd}).value();
    (void)jobs.enqueue(note{.n = 2}).value();
    (void)jobs.enqueue(note{.n = 3}, {.priority = -1, .run_at = pgq::in(-1s)}).value();

    test::run_log seen;
    test::run_until_empty(jobs, {}, [&](const note& n, const pgq::context& c) { seen.add(n.n, c); });

    REQUIRE(seen.size() == 3);
    for (const auto& s : seen.all()) {
        if (s.n != 1) {
            CHECK(s.headers.empty());
            continue;
        }
        auto found = s.headers;
        std::vector<std::pair<std::string, std::string>> wanted;
        for (const auto& h : odd) wanted.emplace_back(h.name, h.value);
        std::sort(found.begin(), found.end());
        std::sort(wanted.begin(), wanted.end());
        CHECK(found == wanted);
    }
}

}  // namespace scenarios_enqueue
