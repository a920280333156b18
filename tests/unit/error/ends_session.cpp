#include <pgq/error/ends_session.hpp>

#include <support/catch.hpp>

#include <string_view>
#include <system_error>

namespace unit_error_ends_session {

using pgq::ends_session;
using pgq::errc;
using pgq::error_info;

TEST_CASE("a session ends with its connection, its server and an answer that cannot be read", "[error]") {
    CHECK(ends_session(errc::connection_lost));
    CHECK(ends_session(errc::protocol));
    // A broken connection; shutdown, crash, not ready, dropped database and idle session; the two time limits of
    // transactions; a server that became read-only.
    for (const std::string_view state :
         {"08006", "08P01", "57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "25P04", "25006"}) {
        CAPTURE(state);
        CHECK(ends_session(error_info{pgq::make_sqlstate(state)}));
    }
}

TEST_CASE("a session goes on after the error of a statement", "[error]") {
    for (const errc code :
         {errc::lease_lost, errc::timeout, errc::duplicate_key, errc::worker_lost, errc::invalid_option}) {
        CAPTURE(code);
        CHECK_FALSE(ends_session(code));
    }
    for (const std::string_view state : {"57014", "40001", "40P01", "23505", "42P01", "53200", "25P02", "22012"}) {
        CAPTURE(state);
        CHECK_FALSE(ends_session(error_info{pgq::make_sqlstate(state)}));
    }
    // The same number in another category.
    CHECK_FALSE(ends_session(error_info{std::error_code{pgq::sqlstate("57P01"), std::generic_category()}}));
}

}  // namespace unit_error_ends_session
