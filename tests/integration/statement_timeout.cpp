#include <pgq/driver/libpq.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>

#include <chrono>

namespace integration_statement_timeout {

using namespace std::chrono_literals;
using pgq::driver::session_state;
using test::database;

TEST_CASE("the server ends a statement that takes longer than statement_timeout, also in a shared session",
          "[integration][driver][statement_timeout]") {
    const database db;
    for (const auto state : {session_state::detect, session_state::none}) {
        auto options = database::unbroken(db.options());
        options.state = state;
        options.statement_timeout = 1s;
        auto session = pgq::driver::libpq{options}.connect(pgq::session_role::client).value();
        session.begin().value();
        const auto slept = session.exec("SELECT pg_sleep(600)", {});
        REQUIRE_FALSE(slept);
        CHECK(slept.error().code == pgq::make_sqlstate("57014"));
        session.rollback().value();

        session.begin().value();
        CHECK(session.exec("SHOW statement_timeout", {}).value()[0][0] == "1s");
        session.rollback().value();
    }
}

TEST_CASE("a session has no statement_timeout unless its options have one",
          "[integration][driver][statement_timeout]") {
    const database db;
    auto session = pgq::driver::libpq{database::unbroken(db.options())}.connect(pgq::session_role::client).value();
    session.begin().value();
    CHECK(session.exec("SHOW statement_timeout", {}).value()[0][0] == "0");
    session.rollback().value();
}

}  // namespace integration_statement_timeout
