#include <pgq/driver/libpq.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>

#include <string>

namespace integration_strict {

using pgq::driver::session_state;
using test::database;

TEST_CASE("a commit of a worker waits for the disk with strict alone, also in a session without state",
          "[integration][driver]") {
    const database db;
    for (const auto state : {session_state::detect, session_state::none})
        for (const bool strict : {true, false}) {
            CAPTURE(state, strict);
            auto options = database::unbroken(db.options());
            options.state = state;
            options.strict = strict;
            auto session = pgq::driver::libpq{options}.connect(pgq::session_role::worker).value();
            session.begin().value();
            CHECK(session.exec("SHOW synchronous_commit", {}).value()[0][0] == (strict ? "on" : "off"));
            session.rollback().value();
        }
}

}  // namespace integration_strict
