#include <pgq/driver/asio_libpq.hpp>
#include <pgq/driver/libpq.hpp>

#include "support/asio_context.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/silent_host.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <tuple>

namespace integration_silent_hosts {

using namespace std::chrono_literals;
using pgq::session_role;
using pgq::driver::asio_libpq;
using pgq::driver::connection_options;
using pgq::driver::libpq;
using test::database;
using steady = std::chrono::steady_clock;

namespace {

enum class way { blocking, async, install };

// Hosts in front of the server of the tests.
std::string in_front(const database& db, const std::string& hosts, const std::string& ports, const std::string& more) {
    PGconn* c = db.connection();
    return "host=" + hosts + "," + PQhost(c) + " port=" + ports + "," + PQport(c) + " user=" + PQuser(c) +
           " dbname=" + PQdb(c) + " sslmode=disable gssencmode=disable " + more;
}

pgq::result<void> connect_by(way how, const connection_options& o) {
    if (how == way::install) return libpq{o}.install();
    if (how == way::blocking) {
        auto opened = libpq{o}.connect(session_role::client);
        return opened ? pgq::result<void>{} : pgq::result<void>{opened.error()};
    }
    test::running_context context;
    test::outcome<asio_libpq::session> end;
    asio_libpq{context.executor(), o}.async_connect(session_role::client, end.handler());
    auto opened = end.get();
    return std::get<0>(opened) ? pgq::result<void>{std::get<1>(opened).last_error()} : pgq::result<void>{};
}

}  // namespace

TEST_CASE("a host that accepts connections and stays silent is passed after connect_timeout", "[libpq][address]") {
    const database db;
    const test::silent_host silent;
    const auto how = GENERATE(way::blocking, way::async, way::install);
    const std::string attributes =
        GENERATE("", "target_session_attrs=read-write", "target_session_attrs=prefer-standby");
    const connection_options o{.conninfo = in_front(db, "127.0.0.1", silent.port(), "connect_timeout=1 " + attributes),
                               .schema = db.schema()};
    const auto begun = steady::now();
    const auto connected = connect_by(how, o);
    INFO((connected ? "" : connected.error().text()));
    CHECK(connected);
    CHECK(steady::now() - begun >= 1s);
    CHECK(steady::now() - begun < 4s);
}

TEST_CASE("a host name with several addresses is passed address by address", "[libpq][address]") {
    const database db;
    const test::silent_host silent;
    // 127.0.0.1 is silent; ::1 refuses, or is not an address of this name
    const connection_options o{.conninfo = in_front(db, "localhost", silent.port(), "connect_timeout=1"),
                               .schema = db.schema()};
    CHECK(connect_by(way::blocking, o));
}

TEST_CASE("without connect_timeout each host has five seconds, and two silent ones are passed", "[libpq][address]") {
    const database db;
    const test::silent_host one, other;
    const connection_options o{.conninfo = in_front(db, "127.0.0.1,127.0.0.1", one.port() + "," + other.port(), ""),
                               .schema = db.schema()};
    const auto begun = steady::now();
    CHECK(connect_by(way::blocking, o));
    CHECK(steady::now() - begun >= 10s);
    CHECK(steady::now() - begun < 15s);
}

TEST_CASE("if all hosts are silent, the error names them", "[libpq][address]") {
    const test::silent_host silent;
    const auto how = GENERATE(way::blocking, way::async, way::install);
    const connection_options o{.conninfo = "host=127.0.0.1,/nowhere port=" + silent.port() +
                                           ",1 connect_timeout=1 dbname=x user=y sslmode=disable gssencmode=disable"};
    const auto begun = steady::now();
    const auto connected = connect_by(how, o);
    REQUIRE_FALSE(connected);
    INFO(connected.error().text());
    CHECK(connected.error() == pgq::errc::connection_lost);
    CHECK(connected.error().message.find("\"127.0.0.1\", port " + silent.port() + " did not answer in time") !=
          std::string::npos);
    CHECK(connected.error().message.find("/nowhere") != std::string::npos);
    CHECK(steady::now() - begun < 4s);
}

TEST_CASE("a silent host gets no more time than response_timeout", "[libpq][address]") {
    const test::silent_host silent;
    const auto how = GENERATE(way::blocking, way::async, way::install);
    const connection_options o{.conninfo = "host=127.0.0.1 port=" + silent.port() +
                                           " dbname=x user=y sslmode=disable gssencmode=disable connect_timeout=0",
                               .response_timeout = 300ms};
    const auto begun = steady::now();
    const auto connected = connect_by(how, o);
    REQUIRE_FALSE(connected);
    CHECK(connected.error().hint.find("connect_timeout") != std::string::npos);
    CHECK(steady::now() - begun < 3s);
}

}  // namespace integration_silent_hosts
