#include <pgq/driver/asio_libpq.hpp>
#include <pgq/unique_by.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>

#include <asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace scenarios_unique_by {

using namespace std::chrono_literals;
using test::database;
using test::note;

namespace {

template <class Rule, class Driver = pgq::driver::libpq>
using queue_by = pgq::queue<pgq::job<note, Rule>, Driver, pgq::serializer::json>;
using by_text = pgq::unique_by<&note::text>;

}  // namespace

TEST_CASE(
    "of jobs with equal members from many producers one is in the queue at a time, although no caller names a key",
    "[scenario][unique][unique_by]") {
    const database db;
    std::atomic<int> fresh{0};
    {
        std::vector<std::jthread> producers;
        for (std::int64_t i = 0; i < 8; ++i)
            producers.emplace_back([&, i] {
                queue_by<by_text> jobs{db.driver()};
                for (const char* who : {"ada", "bob", "cleo"})
                    fresh += jobs.enqueue(note{.n = i, .text = who}).value().is_new() ? 1 : 0;
            });
    }
    CHECK(fresh == 3);
    CHECK(db.rows("ready") == 3);
    queue_by<by_text> jobs{db.driver()};
    test::run_until_empty(jobs, {}, [](const note&) {});
    CHECK(db.rows("unique_key") == 0);
    CHECK(jobs.enqueue(note{.text = "ada"}).value().is_new());
}

TEST_CASE("the key of a policy is the same for every way to enqueue", "[scenario][unique][unique_by][usual_settings]") {
    const database db;
    queue_by<by_text> jobs{db.driver()};
    const pgq::job_id first = jobs.enqueue(note{.n = 1, .text = "it's \"ä\", \\ (1:x)"}).value();
    const note again{.n = 2, .text = "it's \"ä\", \\ (1:x)"};
    CHECK(jobs.enqueue(std::vector<note>{{.text = "other"}, again}).value()[1] == first);

    test::sql_connection mine{db.conninfo(), db.schema()};
    (void)mine.exec("BEGIN");
    CHECK(jobs.enqueue(pgq::within(mine.get()), again).value() == first);
    (void)mine.exec("COMMIT");
    CHECK(jobs.transaction([&](auto& tx) { return tx.enqueue(again); }).value() == first);
    CHECK(jobs.chain(again).then(note{.text = "next"}).enqueue().value()[0].id == first);

    test::running_context context;
    queue_by<by_text, pgq::driver::asio_libpq> async{pgq::driver::asio_libpq{context.executor(), db.options()}};
    CHECK(async.async_enqueue(again, asio::use_future).get() == first);
    const std::vector<note> some{again, {.text = "last"}, {.text = "last"}};
    const auto ids = async.async_enqueue(some, asio::use_future).get();
    CHECK(ids[0] == first);
    CHECK(ids[2] == ids[1]);
    CHECK(db.query_int("SELECT count(*) FROM {s}.unique_key") == 4);
}

TEST_CASE("the key of a policy applies to jobs that a handler enqueues in its transaction",
          "[scenario][unique][unique_by]") {
    const database db;
    using queue = pgq::queue<pgq::job<note, by_text>, test::letter, pgq::driver::libpq, pgq::serializer::json>;
    queue jobs{db.driver()};
    const pgq::job_id first = jobs.enqueue(note{.text = "ada"}, {.run_at = pgq::in(1h)}).value();
    (void)jobs.enqueue(test::letter{}).value();
    std::vector<pgq::job_id> ids;
    test::run_until_empty(
        jobs, {}, [](const note&) {},
        [&](const test::letter&, pgq::transaction<queue>& tx) {
            const std::vector<note> some{{.text = "ada"}, {.text = "bob"}, {.text = "bob"}};
            ids = tx.enqueue(some, {.run_at = pgq::in(1h)}).value();
        });
    REQUIRE(ids.size() == 3);
    CHECK(ids[0] == first);
    CHECK(ids[2] == ids[1]);
    CHECK(db.rows("deferred") == 2);
}

TEST_CASE("a range of a thousand jobs has one key per job", "[scenario][unique][unique_by]") {
    const database db;
    queue_by<pgq::unique_by<&note::n>::or_replace> jobs{db.driver()};
    std::vector<note> many;
    for (std::int64_t i = 0; i < 1000; ++i) many.push_back({.n = i / 2, .text = std::to_string(i)});
    const auto all = jobs.enqueue(many).value();
    for (std::size_t i = 0; i < 1000; i += 2) CHECK(all[i] == all[i + 1]);
    test::run_log seen;
    test::run_until_empty(jobs, {}, [&](const note& n, pgq::context& c) { seen.add(n.n, c, n.text); });
    CHECK(seen.each_ran_once(500));
    for (const auto& s : seen.all()) CHECK(s.text == std::to_string(2 * s.n + 1));
}

TEST_CASE("if the key of a policy is not valid text, enqueue returns an error and enqueues nothing",
          "[scenario][unique][unique_by]") {
    const database db;
    queue_by<by_text> jobs{db.driver()};
    CHECK(jobs.enqueue(std::vector<note>{{.text = "fine"}, {.text = std::string("a\0b", 3)}}).error() ==
          pgq::errc::invalid_text);
    CHECK(db.is_empty());
}

}  // namespace scenarios_unique_by
