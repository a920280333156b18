#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <pgq/executor/in_place.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace integration_enqueue_together {

namespace {

using pgq::errc;
using test::database;
using test::letter;
using test::note;
using client = pgq::queue<note, letter, pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place>;

// Calls `enqueue(thread)` from several threads while the table is locked, so that the library sends their jobs
// together.
void all_at_once(const database& db, int threads, const std::function<void(int)>& enqueue) {
    const test::sql_connection other{test::dsn(), db.schema()};
    (void)other.exec("BEGIN; LOCK TABLE {s}.ready IN SHARE MODE");
    std::atomic<int> begun{0};
    std::vector<std::jthread> all;
    for (int t = 0; t < threads; ++t)
        all.emplace_back([&, t] {
            ++begun;
            enqueue(t);
        });
    CHECK(test::eventually([&] { return begun == threads; }));
    CHECK(test::eventually([&] {
        return db.query_int("SELECT count(*) FROM pg_locks WHERE relation = '{q}.ready'::regclass AND NOT granted") ==
               1;
    }));
    (void)other.exec("COMMIT");
}

}  // namespace

TEST_CASE("the library sends jobs together if many threads enqueue one job each at the same time",
          "[integration][enqueue]") {
    const database db;
    client jobs{db.driver()};
    (void)jobs.counts<note>().value();  // now the queue is connected
    std::vector<pgq::job_id> ids(32);
    all_at_once(db, 32, [&](int t) { ids[static_cast<std::size_t>(t)] = jobs.enqueue(note{.n = t}).value().id(); });
    CHECK(db.query_int("SELECT count(DISTINCT id) FROM {s}.ready") == 32);
    CHECK(db.query_int("SELECT count(DISTINCT xmin::text) FROM {s}.ready") < 16);
    for (std::size_t t = 0; t < ids.size(); ++t)  // each thread got the id of its own job
        CHECK(db.query_text("SELECT convert_from(body, 'UTF8')::jsonb ->> 'n' FROM {s}.ready WHERE id = " +
                            std::to_string(ids[t].value)) == std::to_string(t));
}

TEST_CASE("jobs that are sent together keep their entrypoints and priorities, and the order of their thread",
          "[integration][enqueue]") {
    const database db;
    client jobs{db.driver()};
    (void)jobs.counts<note>().value();
    all_at_once(db, 12, [&](int t) {
        for (int i = 0; i < 20; ++i) {
            if (t % 3 == 0) (void)jobs.enqueue(letter{.n = t * 100 + i}).value();
            else (void)jobs.enqueue(note{.n = t * 100 + i}, {.priority = static_cast<std::int16_t>(t % 3)}).value();
        }
    });
    CHECK(jobs.counts<letter>().value().ready == 80);
    CHECK(jobs.counts<note>().value().ready == 160);
    CHECK(db.query_int("SELECT count(*) FROM {s}.job WHERE entrypoint = 'note' AND priority <>"
                       " (convert_from(body, 'UTF8')::jsonb ->> 'n')::int / 100 % 3") == 0);
    CHECK(db.query_int("SELECT count(*) FROM (SELECT n, lag(n) OVER (PARTITION BY n / 100 ORDER BY id) AS before FROM"
                       " (SELECT id, (convert_from(body, 'UTF8')::jsonb ->> 'n')::int AS n FROM {s}.ready) r) p"
                       " WHERE before > n") == 0);
}

TEST_CASE("an error in one of the jobs that are sent together is returned by its own call only",
          "[integration][enqueue]") {
    const database db;
    auto options = db.options();
    options.max_payload = 1000;
    client jobs{pgq::driver::libpq{options}};
    (void)jobs.counts<note>().value();
    std::atomic<int> refused{0}, stored{0};
    all_at_once(db, 24, [&](int t) {
        const auto put = jobs.enqueue(note{.n = t, .text = t % 4 == 1 ? std::string(2000, 'x') : std::string{}});
        if (put) ++stored;
        else if (put.error() == errc::payload_too_large) ++refused;
    });
    CHECK(stored == 18);
    CHECK(refused == 6);
    CHECK(jobs.counts<note>().value().ready == 18);
}

}  // namespace integration_enqueue_together
