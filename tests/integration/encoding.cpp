#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>

#include <libpq-fe.h>

#include <array>
#include <chrono>
#include <string>
#include <string_view>

namespace integration_encoding {

using namespace std::chrono_literals;
using test::database;
using test::note;

namespace {

template <class T>
void check_refused(const pgq::result<T>& answer, std::string_view encoding) {
    REQUIRE_FALSE(answer.has_value());
    const pgq::error_info& e = answer.error();
    INFO(e.text());
    CHECK(e == pgq::errc::invalid_option);
    CHECK(e.message == "the client_encoding of the given connection is " + std::string{encoding} + ", not UTF8");
    CHECK(e.hint.find("PQsetClientEncoding(conn, \"UTF8\")") != std::string::npos);
}

}  // namespace

TEST_CASE("a call in the caller's transaction is refused if the connection has another encoding",
          "[integration][encoding]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    const std::array headers{pgq::header{"name", "Zo\xc3\xab"}};
    const pgq::enqueue_options options{.headers = headers, .unique_key = "\xc3\xbc"};
    const test::sql_connection mine{database::settings_of(test::dsn(), "client_encoding", "UTF8"), db.schema()};
    (void)mine.exec("CREATE TABLE {s}.written (n int8)");
    (void)jobs.enqueue(note{.n = 1}).value();
    auto poller = jobs.poll<note>({.timeout = 5s});
    auto polled = poller.next().value();
    REQUIRE(polled.has_value());

    const std::string encoding = GENERATE("LATIN1", "SQL_ASCII", "EUC_JP");
    (void)mine.exec("BEGIN");
    (void)mine.exec("INSERT INTO {s}.written VALUES (1)");
    (void)mine.exec("SET client_encoding = " + encoding);
    check_refused(jobs.enqueue(pgq::within(mine.get()), note{.n = 2}, options), encoding);
    check_refused(jobs.take<note>(pgq::within(mine.get())), encoding);
    check_refused(polled->ack(pgq::within(mine.get())), encoding);

    // Nothing was sent: the transaction goes on, and the remedy is enough.
    REQUIRE(PQsetClientEncoding(mine.get(), "UTF8") == 0);
    const auto put = jobs.enqueue(pgq::within(mine.get()), note{.n = 3}, options).value();
    polled->ack(pgq::within(mine.get())).value();
    (void)mine.exec("COMMIT");
    CHECK(db.query_int("SELECT count(*) FROM {s}.written") == 1);
    // Other connections find the same key.
    const auto again = jobs.enqueue(note{.n = 4}, {.unique_key = "\xc3\xbc"}).value();
    CHECK(again.id() == put);
    CHECK(db.query_text("SELECT headers->>'name' FROM {s}.ready") == "Zo\xc3\xab");
}

TEST_CASE("a statement of a transaction that changes the encoding is an error, and the session is not used again",
          "[integration][encoding]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    const std::string statement = GENERATE("SET client_encoding = 'LATIN1'", "SET LOCAL client_encoding = 'LATIN1'");
    const auto ended = jobs.transaction([&](auto& tx) -> pgq::result<void> {
        (void)tx.enqueue(note{.n = 1}).value();
        auto rows = tx.exec(statement);
        if (!rows) return rows.error();
        return {};
    });
    REQUIRE_FALSE(ended);
    INFO(ended.error().text());
    CHECK(ended.error() == pgq::errc::invalid_option);
    CHECK(ended.error().message.find("client_encoding") != std::string::npos);
    CHECK(db.is_empty());
    jobs.transaction(
            [&](auto& tx) { CHECK(tx.exec("SELECT current_setting('client_encoding')").value()[0][0] == "UTF8"); })
        .value();
}

TEST_CASE("a call in the caller's transaction on a broken connection says that it is broken",
          "[integration][encoding]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    const test::sql_connection mine{test::dsn(), db.schema()};
    (void)db.query_text("SELECT pg_terminate_backend(" + std::to_string(PQbackendPID(mine.get())) + ", 30000)");
    CHECK_THROWS(mine.exec("SELECT 1"));
    CHECK(jobs.enqueue(pgq::within(mine.get()), note{.n = 1}).error() == pgq::errc::connection_lost);
    CHECK(jobs.take<note>(pgq::within(mine.get())).error() == pgq::errc::connection_lost);
}

}  // namespace integration_encoding
