// A connection is closed while the program makes no call on it, for example just behind the commit of the latest call.
// The next call connects again and succeeds.

#include <pgq/driver/asio_libpq.hpp>
#include <pgq/driver/borrow.hpp>
#include <pgq/driver/pool.hpp>
#include <pgq/statement/enqueue.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>
#include <support/proxy.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace scenarios_closed_connections {

using namespace std::chrono_literals;
using test::database, test::note, test::notes;

namespace {

using asio_queue = pgq::queue<pgq::job<note>, pgq::driver::asio_libpq, pgq::serializer::json>;
using pool_queue = pgq::queue<pgq::job<note>, pgq::driver::pool<pgq::driver::libpq>, pgq::serializer::json>;

template <class Answer>
bool succeeds(const Answer& answer) {
    INFO((answer ? std::string{} : answer.error().text()));
    CHECK(answer.has_value());
    return answer.has_value();
}

/// Makes the call three times. The connection is closed behind the answer to the last of the `transactions` of the
/// second call, so that the client reads the answer and the end together.
template <class Call>
void close_behind(test::proxy& between, int transactions, Call call) {
    REQUIRE(succeeds(call()));
    for (int i = 0; i < 3; ++i) {
        const int before = between.connections();
        between.close_after_answers(transactions);
        CHECK(succeeds(call()));
        CHECK(between.answers_have_come());
        CHECK(succeeds(call()));
        CHECK(between.connections() == before + 1);
    }
}

}  // namespace

TEST_CASE("if the connection is closed behind the commit of a call, that call and the next one succeed",
          "[scenario][connections][direct]") {
    const database db;
    test::proxy between;
    test::note_queue<> jobs{pgq::driver::libpq{between.options(db)}};
    SECTION("a job") {
        close_behind(between, 1, [&] { return jobs.enqueue(note{}); });
    }
    SECTION("a range, with an option of its own") {
        close_behind(between, 1, [&] { return jobs.enqueue(notes(2), {.priority = 3}); });
    }
    SECTION("tracked jobs") {
        close_behind(between, 1, [&] { return jobs.enqueue(notes(2), {.keep_outcome = 1h}); });
    }
    SECTION("a stream") {
        close_behind(between, 1, [&] { return jobs.enqueue_stream(notes(7)); });
    }
    SECTION("a range that is stored by COPY: its ids come first") {
        close_behind(between, 2, [&] { return jobs.enqueue(notes(pgq::statement::worth_copying)); });
    }
    SECTION("a range behind a stream, and a stream behind a range") {
        bool streams = GENERATE(true, false);
        close_behind(between, 1, [&]() -> pgq::result<std::size_t> {
            streams = !streams;
            if (!streams) return jobs.enqueue(notes(2), {.priority = 3}).value().size();
            return static_cast<std::size_t>(jobs.enqueue_stream(notes(7)).value());
        });
    }
    SECTION("a transaction: it begins, it enqueues, it commits") {
        close_behind(between, 3,
                     [&] { return jobs.transaction([&](auto& tx) { (void)tx.enqueue(notes(2)).value(); }); });
    }
    SECTION("get") {
        test::note_queue<> others{db.driver()};
        (void)others.enqueue(notes(20)).value();
        close_behind(between, 1, [&] { return jobs.get<note>(); });
    }
    SECTION("cancel") {
        test::note_queue<> others{db.driver()};
        const auto id = others.enqueue(note{}).value().id();
        close_behind(between, 1, [&] { return jobs.cancel(id); });
    }
}

TEST_CASE("if the connection is closed behind the commit of a call, other ways to connect replace it, too",
          "[scenario][connections][direct]") {
    const database db;
    test::proxy between;
    test::running_context context;
    SECTION("a pool") {
        pool_queue jobs{pgq::driver::pool{pgq::driver::libpq{between.options(db)}, {.max = 1}}};
        close_behind(between, 1, [&] { return jobs.enqueue(note{}); });
    }
    SECTION("a pool: a stream") {
        pool_queue jobs{pgq::driver::pool{pgq::driver::libpq{between.options(db)}, {.max = 1}}};
        close_behind(between, 1, [&] { return jobs.enqueue_stream(notes(7)); });
    }
    SECTION("async_enqueue") {
        asio_queue jobs{pgq::driver::asio_libpq{context.executor(), between.options(db)}};
        close_behind(between, 1, [&]() -> pgq::result<void> {
            test::outcome<pgq::job_id> end;
            jobs.async_enqueue(note{}, end.handler());
            return end.error() ? pgq::result<void>{jobs.last_async_error()} : pgq::result<void>{};
        });
    }
    SECTION("blocking calls of the asynchronous driver") {
        asio_queue jobs{pgq::driver::asio_libpq{context.executor(), between.options(db)}};
        close_behind(between, 1, [&] { return jobs.enqueue_stream(notes(7)); });
    }
    SECTION("a poller") {
        test::note_queue<> others{db.driver()};
        (void)others.enqueue(notes(20)).value();
        test::note_queue<> jobs{pgq::driver::libpq{between.options(db)}};
        auto from = jobs.poll<note>({.timeout = 0ms, .prefetch = 1, .lease_time = 1h});
        auto job = from.next().value();
        bool claims = GENERATE(true, false);
        if (claims) job->ack().value();
        close_behind(between, 1, [&]() -> pgq::result<void> {
            claims = !claims;
            if (claims) return job->ack();
            auto next = from.next();
            if (!next) return next.error();
            job = std::move(*next);
            return {};
        });
    }
}

TEST_CASE("callers of a group commit succeed if the connection is closed behind a commit of the group",
          "[scenario][connections][direct]") {
    const database db;
    test::proxy between;
    test::note_queue<> jobs{pgq::driver::libpq{between.options(db)}};
    (void)jobs.lanes().value();
    constexpr int callers = 4, calls = 10;
    for (const int transactions : {1, 3, 5}) {  // with the wake in between: behind the commit of an insert
        std::atomic<int> stored{0};
        between.close_after_answers(transactions);
        {
            std::vector<std::jthread> all;
            for (int i = 0; i < callers; ++i)
                all.emplace_back([&] {
                    for (int n = 0; n < calls; ++n) stored += jobs.enqueue(note{}).has_value() ? 1 : 0;
                });
        }
        CHECK(stored == callers * calls);
        CHECK(between.answers_have_come());
    }
    CHECK(db.rows("ready") == 3 * callers * calls);
}

// It counts answers, and hostile settings may cost a call one more.
TEST_CASE("a borrowed connection that is closed behind a commit is an error of the next call, which stores nothing",
          "[scenario][connections][direct][usual_settings]") {
    const database db;
    test::proxy between;
    const test::sql_connection mine{database::settings_of(between.options(db).conninfo, "client_encoding", "UTF8"),
                                    db.schema()};
    pgq::queue<pgq::job<note>, pgq::driver::borrow, pgq::serializer::json> jobs{
        pgq::driver::borrow{mine.get(), {.schema = db.schema()}}};
    jobs.enqueue(note{}).value();
    between.close_after_answers(1);
    CHECK(succeeds(jobs.enqueue(note{})));
    CHECK(between.answers_have_come());
    const auto next = jobs.enqueue(note{});
    REQUIRE_FALSE(next.has_value());
    CHECK(next.error() == pgq::errc::connection_lost);
    CHECK(next.error().detail == "");  // not in doubt
    CHECK(db.rows("ready") == 2);
    PQreset(mine.get());
    CHECK(succeeds(jobs.enqueue(note{})));
}

TEST_CASE("a poller connects again if its listener was closed", "[scenario][connections][direct]") {
    const database db;
    test::proxy listens;
    auto options = db.options();
    options.listen_conninfo = listens.options(db).conninfo;
    test::note_queue<> jobs{pgq::driver::libpq{options}};
    (void)jobs.enqueue(notes(10)).value();
    auto from = jobs.poll<note>({.timeout = 0ms, .prefetch = 3, .lease_time = 1h});
    for (int i = 0; i < 5; ++i) {
        auto job = from.next();
        REQUIRE(succeeds(job));
        CHECK(job->value()->n == i);
        listens.cut();
        CHECK(succeeds(job->value().ack()));
        CHECK(listens.connections() == i + 2);
    }
}

TEST_CASE("a session knows that its connection was closed, however much came before the end",
          "[scenario][connections][direct]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    test::claiming_session mine{db, jobs.lanes().value()};
    REQUIRE(mine.line().usable());
    const std::string channel = "'pgq_' || {s}.schema_id() || '_" + std::to_string(mine.id().value) + "'";
    for (int i = 0; i < 20; ++i)  // 140 kB in all
        db.exec("SELECT pg_notify(" + channel + ", '" + std::to_string(i) + "' || repeat('x', 7000))");
    db.exec("SELECT pg_terminate_backend(" + std::to_string(PQbackendPID(mine.line().line().get())) + ", 5000)");
    CHECK_FALSE(mine.line().usable());
}

}  // namespace scenarios_closed_connections
