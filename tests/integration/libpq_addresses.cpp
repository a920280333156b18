#include <pgq/driver/libpq.hpp>

#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/jobs.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace integration_libpq_addresses {

using pgq::driver::connection_options;
using pgq::driver::libpq;
using test::database;
using test::note;

namespace {

// Sets variables of libpq's environment until the destructor runs. An empty value removes a variable.
class environment {
public:
    explicit environment(const std::vector<std::pair<std::string, std::string>>& settings) {
        for (const auto& [name, value] : settings) {
            const char* old = std::getenv(name.c_str());
            before_.emplace_back(name, old == nullptr ? std::nullopt : std::optional<std::string>{old});
            if (value.empty()) ::unsetenv(name.c_str());
            else ::setenv(name.c_str(), value.c_str(), 1);
        }
    }
    environment(const environment&) = delete;
    environment& operator=(const environment&) = delete;
    ~environment() {
        for (const auto& [name, value] : before_)
            if (value) ::setenv(name.c_str(), value->c_str(), 1);
            else ::unsetenv(name.c_str());
    }

private:
    std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

// The server's real address, as a connection reports it.
std::map<std::string, std::string> address_of(const database& db) {
    PGconn* c = db.connection();
    return {{"host", PQhost(c)}, {"port", PQport(c)}, {"user", PQuser(c)}, {"dbname", PQdb(c)}};
}

void check_works(const database& db, const std::string& conninfo) {
    INFO(conninfo);
    test::note_queue<> jobs{libpq{connection_options{.conninfo = conninfo, .schema = db.schema()}}};
    const auto before = db.rows("ready");
    jobs.enqueue(note{}).value();
    CHECK(db.rows("ready") == before + 1);
}

std::string percent_encoded(const std::string& text) {
    std::string out;
    const char* digits = "0123456789ABCDEF";
    for (const char each : text) {
        const auto c = static_cast<unsigned char>(each);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (plain) out += each;
        else out += {'%', digits[c / 16], digits[c % 16]};
    }
    return out;
}

}  // namespace

TEST_CASE("without a connection string libpq's environment names the server", "[libpq][address]") {
    const database db;
    auto at = address_of(db);
    const environment set{
        {{"PGHOST", at["host"]}, {"PGPORT", at["port"]}, {"PGUSER", at["user"]}, {"PGDATABASE", at["dbname"]}}};
    check_works(db, "");
}

TEST_CASE("a connection string overrides the environment", "[libpq][address]") {
    const database db;
    const environment set{
        {{"PGHOST", "no-such-host.invalid"}, {"PGPORT", "1"}, {"PGUSER", "nobody"}, {"PGDATABASE", "none"}}};
    auto at = address_of(db);
    check_works(db, "host=" + at["host"] + " port=" + at["port"] + " user=" + at["user"] + " dbname=" + at["dbname"]);
}

TEST_CASE("a service file names the server, by PGSERVICE or in the connection string", "[libpq][address]") {
    const database db;
    auto at = address_of(db);
    char path[] = "/tmp/pgq_service_XXXXXX";
    const int made = ::mkstemp(path);
    REQUIRE(made >= 0);
    ::close(made);
    std::ofstream{path} << "[jobs]\nhost=" << at["host"] << "\nport=" << at["port"] << "\nuser=" << at["user"]
                        << "\ndbname=" << at["dbname"] << "\n";
    {
        const environment set{{{"PGSERVICEFILE", path}}};
        check_works(db, "service=jobs");
    }
    {
        const environment set{{{"PGSERVICEFILE", path}, {"PGSERVICE", "jobs"}}};
        check_works(db, "");
    }
    ::unlink(path);
}

TEST_CASE("a URI names the server", "[libpq][address]") {
    const database db;
    auto at = address_of(db);
    check_works(db, "postgresql://" + percent_encoded(at["user"]) + "@/" + percent_encoded(at["dbname"]) +
                        "?host=" + percent_encoded(at["host"]) + "&port=" + at["port"] + "&application_name=by%20uri");
}

TEST_CASE("of several hosts the library uses the first that answers", "[libpq][address]") {
    const database db;
    auto at = address_of(db);
    check_works(db, "host=/nowhere," + at["host"] + " port=1," + at["port"] + " user=" + at["user"] +
                        " dbname=" + at["dbname"] + " target_session_attrs=read-write");
}

TEST_CASE("the library keeps the user's application_name, and sets pgq if there is none", "[libpq][address][direct]") {
    const database db;
    const auto name_at_server = [&](const std::string& conninfo) {
        auto session =
            libpq{connection_options{.conninfo = conninfo, .schema = db.schema()}}.connect(pgq::session_role::client);
        REQUIRE(session);
        return db.query_text("SELECT application_name FROM pg_stat_activity WHERE pid = " +
                             std::to_string(PQbackendPID(session->line().get())));
    };
    CHECK(name_at_server(database::with_settings("application_name", "mailer")) == "mailer");
    const environment none{{{"PGAPPNAME", ""}}};
    CHECK(name_at_server(test::dsn()) == "pgq");
}

}  // namespace integration_libpq_addresses
