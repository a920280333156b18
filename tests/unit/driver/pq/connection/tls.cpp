#include <pgq/driver/pq/connection/tls.hpp>

#include "support/catch.hpp"

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace unit_driver_pq_connection_tls {

using namespace pgq::driver::pq;

namespace {

const tls_settings libpqs_own{};

tls_environment remote() { return {.host = "db.example.org", .bundle = "/bundle.crt"}; }

/// Sets environment variables until the destructor runs.
class with_environment {
public:
    explicit with_environment(const std::vector<std::pair<std::string, std::string>>& wanted) {
        for (const char* name : {"PGHOST", "PGHOSTADDR", "PGSSLMODE", "PGREQUIRESSL", "PGSERVICE", "PGSSLROOTCERT"})
            set(name, std::nullopt);
        for (const auto& [name, value] : wanted) set(name, value);
    }
    ~with_environment() {
        for (auto i = before_.rbegin(); i != before_.rend(); ++i) put(i->first, i->second);
    }
    with_environment(const with_environment&) = delete;
    with_environment& operator=(const with_environment&) = delete;

private:
    void set(const std::string& name, const std::optional<std::string>& value) {
        const char* old = std::getenv(name.c_str());
        before_.emplace_back(name, old == nullptr ? std::nullopt : std::optional<std::string>{old});
        put(name, value);
    }
    static void put(const std::string& name, const std::optional<std::string>& value) {
        if (value) ::setenv(name.c_str(), value->c_str(), 1);
        else ::unsetenv(name.c_str());
    }

    std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

}  // namespace

TEST_CASE("for another host the library verifies the server's certificate and name by default", "[driver][tls]") {
    CHECK(choose_tls(remote()) == tls_settings{"verify-full", "/bundle.crt"});
    for (const char* host : {"10.0.0.7", "2001:db8::1", "localhost.example.org", "127.0.0.1.example.org", "db"}) {
        auto f = remote();
        f.host = host;
        INFO(host);
        CHECK(choose_tls(f).sslmode == "verify-full");
    }
}

TEST_CASE("the library keeps the user's sslmode", "[driver][tls]") {
    auto f = remote();
    f.has_mode = true;
    CHECK(choose_tls(f) == libpqs_own);
}

TEST_CASE("for a server on this machine the library keeps libpq's defaults", "[driver][tls]") {
    for (const char* host : {"", "/var/run/postgresql", "@abstract", "localhost", "127.0.0.1", "127.8.9.10", "::1",
                             "localhost,/tmp,127.0.0.1"}) {
        INFO(host);
        CHECK(choose_tls({.host = host}) == libpqs_own);
    }
}

TEST_CASE("one remote host among several is enough to verify", "[driver][tls]") {
    CHECK(choose_tls({.host = "localhost,db.example.org"}).any());
    CHECK(choose_tls({.host = "db.example.org,localhost"}).any());
    CHECK_FALSE(choose_tls({.host = "localhost,"}).any());
}

TEST_CASE("hostaddr overrides host, as in libpq", "[driver][tls]") {
    CHECK(choose_tls({.host = "localhost", .hostaddr = "10.0.0.7"}).any());
    CHECK_FALSE(choose_tls({.host = "db.example.org", .hostaddr = "127.0.0.1"}).any());
}

TEST_CASE("the library uses the system's root certificates if the user names none", "[driver][tls]") {
    auto f = remote();
    f.knows_system = true;
    CHECK(choose_tls(f).sslrootcert == "system");
    f.has_root = true;
    CHECK(choose_tls(f) == tls_settings{"verify-full", ""});
    f = remote();
    f.bundle = {};
    CHECK(choose_tls(f) == tls_settings{"verify-full", ""});
}

TEST_CASE("the library reads settings from both forms of the connection string and from the environment",
          "[driver][tls]") {
    {
        const with_environment empty{{}};
        CHECK(read_tls_environment("host=a,b dbname=x").host == "a,b");
        CHECK(read_tls_environment("postgresql://me@db.example.org/x").host == "db.example.org");
        CHECK(read_tls_environment("hostaddr=10.0.0.1").hostaddr == "10.0.0.1");
        CHECK_FALSE(read_tls_environment("host=a").has_mode);
        CHECK_FALSE(read_tls_environment("").has_mode);
        CHECK(read_tls_environment("host=a sslmode=disable").has_mode);
        CHECK(read_tls_environment("postgresql://a/x?sslmode=prefer").has_mode);
        CHECK(read_tls_environment("service=mine").has_mode);
        CHECK(read_tls_environment("host='").has_mode);
        CHECK_FALSE(read_tls_environment("some_database").has_mode);
        CHECK(read_tls_environment("host=a sslrootcert=/x").has_root);
    }
    {
        const with_environment e{{{"PGHOST", "db.example.org"}, {"PGHOSTADDR", "10.0.0.1"}, {"PGSSLROOTCERT", "/x"}}};
        const auto f = read_tls_environment("dbname=x");
        CHECK(f.host == "db.example.org");
        CHECK(f.hostaddr == "10.0.0.1");
        CHECK(f.has_root);
        CHECK_FALSE(f.has_mode);
        CHECK(read_tls_environment("host=other").host == "other");
    }
    for (const char* name : {"PGSSLMODE", "PGSERVICE", "PGREQUIRESSL"}) {
        const with_environment e{{{name, "1"}}};
        INFO(name);
        CHECK(read_tls_environment("host=a").has_mode);
    }
}

TEST_CASE("an error about TLS names sslmode as the remedy if the user did not ask for TLS", "[driver][tls]") {
    const pgq::error_info about_tls{pgq::errc::connection_lost, "server does not support SSL, but SSL was required"};
    const pgq::error_info other{pgq::errc::connection_lost, "connection refused", "is it running?"};
    const tls_settings ours{"verify-full", "system"};
    CHECK(explain_tls(about_tls, ours).hint.find("sslmode") != std::string::npos);
    CHECK(explain_tls(about_tls, libpqs_own).hint.empty());
    CHECK(explain_tls(other, ours).hint == "is it running?");
}

}  // namespace unit_driver_pq_connection_tls
