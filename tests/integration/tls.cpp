#include <pgq/driver/libpq.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>
#include <support/own_server.hpp>
#include <support/proxy.hpp>

#include <cstdlib>
#include <map>
#include <string>

namespace integration_tls {

namespace {

/// Reaches the server through a proxy, as another host: 0.0.0.0 is not a loopback address, but leads to this machine.
pgq::driver::connection_options elsewhere(const test::proxy& p, const test::database& db, const std::string& sslmode) {
    auto o = p.options(db);
    for (const auto& [key, value] :
         std::map<std::string, std::string>{{"host", "db.example.org"}, {"hostaddr", "0.0.0.0"}})
        o.conninfo = test::database::settings_of(o.conninfo, key, value);
    const std::string said = "sslmode='disable'";
    o.conninfo.replace(o.conninfo.find(said), said.size(), sslmode);
    return o;
}

}  // namespace

TEST_CASE("a server on another host without TLS is refused with the remedy, and accepted if sslmode allows it",
          "[driver][tls]") {
    if (std::getenv("PGSSLMODE") != nullptr) return;  // then sslmode decides
    const test::database db;
    test::proxy server;
    const pgq::driver::libpq driver{elsewhere(server, db, "")};
    for (const auto& e : {driver.connect(pgq::session_role::client).error(), driver.install().error()}) {
        INFO(e.text());
        CHECK(e == pgq::errc::connection_lost);
        CHECK(e.message.find("SSL") != std::string::npos);
        CHECK(e.hint.find("sslmode") != std::string::npos);
    }
    CHECK(pgq::driver::libpq{elsewhere(server, db, "sslmode=disable")}.connect(pgq::session_role::client).has_value());
}

TEST_CASE("over TLS a call replaces a connection that the server has closed, also behind an answer that nobody read",
          "[driver][tls][direct]") {
    const test::own_server server;
    if (!server.accept_tls()) return;
    test::note_queue<> jobs{pgq::driver::libpq{{.conninfo = server.conninfo() + " sslmode=require"}}};
    jobs.install().value();
    const test::sql_connection sql{server.conninfo(), "pgq_jobs"};
    for (int i = 0; i < 3; ++i) {
        jobs.enqueue(test::note{}).value();  // returns before the answer to its wake
        REQUIRE(sql.query_int("SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity JOIN pg_stat_ssl"
                              " USING (pid) WHERE ssl AND application_name = 'pgq'") == 1);
        CHECK(jobs.enqueue(test::note{}).has_value());
    }
    CHECK(sql.query_int("SELECT count(*) FROM {s}.ready") == 6);
}

}  // namespace integration_tls
