#include <pgq/error/errc.hpp>
#include <pgq/error/sqlstate.hpp>
#include <pgq/fsm/start.hpp>

#include "support/catch.hpp"

#include <chrono>

namespace unit_fsm_start {

using namespace std::chrono_literals;
using pgq::errc;
using pgq::fsm::start;

namespace {

constexpr pgq::steady_time begun{1h};

}  // namespace

TEST_CASE("a start that failed is tried again after pauses that grow, until its time is over", "[fsm][start]") {
    start s{1s};
    CHECK(s.failed(errc::connection_lost, 1, begun, begun) == 100ms);
    CHECK(s.failed(errc::connection_lost, 1, begun, begun + 100ms) == 200ms);
    CHECK(s.failed(errc::connection_lost, 1, begun, begun + 900ms) == 100ms);  // what is left
    CHECK_FALSE(s.failed(errc::connection_lost, 1, begun, begun + 1s));
}

TEST_CASE("a start is tried again only if that may help", "[fsm][start]") {
    for (const auto& passing : {make_error_code(errc::connection_lost), pgq::make_sqlstate("25006"),
                                pgq::make_sqlstate("40001"), pgq::make_sqlstate("57P03")})
        CHECK(start{1min}.failed(passing, 1, begun, begun));
    for (const auto& lasting :
         {make_error_code(errc::schema_missing), make_error_code(errc::bad_conninfo), pgq::make_sqlstate("42501")})
        CHECK_FALSE(start{1min}.failed(lasting, 1, begun, begun));
}

TEST_CASE("without a time limit above zero a start is tried once", "[fsm][start]") {
    CHECK_FALSE(start{0s}.failed(errc::connection_lost, 1, begun, begun));
}

}  // namespace unit_fsm_start
