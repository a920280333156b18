#include <pgq/run/notify_socket.hpp>
#include <pgq/run/owned_fd.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/proxy.hpp>
#include <support/worker_process.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace integration_run {

using namespace std::chrono_literals;
using pgq::detail::owned_fd;
using test::database;
using test::eventually;
using test::task;
using steady = std::chrono::steady_clock;

namespace {

using task_queue = pgq::queue<task, pgq::driver::libpq, pgq::serializer::json>;

// The socket of a service manager. A process that is started while it lives finds it in its environment.
class service_manager {
public:
    explicit service_manager(const char* watchdog_usec) {
        const std::string name = "@pgq_integration_run_" + std::to_string(::getpid());
        const auto address = pgq::detail::notify_address(name).value();
        socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address.name), address.size) == 0);
        ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
        ::setenv("WATCHDOG_USEC", watchdog_usec, 1);
    }
    ~service_manager() {
        ::unsetenv("NOTIFY_SOCKET");
        ::unsetenv("WATCHDOG_USEC");
    }
    service_manager(const service_manager&) = delete;
    service_manager& operator=(const service_manager&) = delete;

    /// Whether one of the lines that were received is this one.
    bool received(std::string_view line) {
        char bytes[512];
        for (ssize_t n; (n = ::recv(socket_.get(), bytes, sizeof bytes, MSG_DONTWAIT)) > 0;)
            heard_.append("\n").append(bytes, static_cast<std::size_t>(n)).append("\n");
        return heard_.find("\n" + std::string{line} + "\n") != std::string::npos;
    }
    void forget() {
        (void)received("");
        heard_.clear();
    }

private:
    owned_fd socket_;
    std::string heard_;
};

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port);
    return to;
}
// A port that is free now.
std::uint16_t free_port() {
    const owned_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    auto here = loopback(0);
    socklen_t size = sizeof here;
    REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&here), size) == 0);
    REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&here), &size) == 0);
    return ntohs(here.sin_port);
}
// The response to GET `target`; empty if nothing listens.
std::string get(std::uint16_t port, const std::string& target) {
    const owned_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const auto to = loopback(port);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return {};
    const std::string request = "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    (void)::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
    std::string all;
    char bytes[512];
    for (ssize_t n; (n = ::recv(fd.get(), bytes, sizeof bytes, 0)) > 0;) all.append(bytes, static_cast<std::size_t>(n));
    return all;
}
bool is_ok(const std::string& response) { return response.starts_with("HTTP/1.1 200 "); }
bool is_unavailable(const std::string& response) { return response.starts_with("HTTP/1.1 503 "); }

std::vector<std::string> arguments(const database& db, const std::string& dsn,
                                   const std::map<std::string, std::string>& settings) {
    std::vector<std::string> all{PGQ_TEST_PROGRAMS "/worker", "dsn=" + dsn, "journal=" + test::dsn(),
                                 "schema=" + db.schema()};
    for (const auto& [key, value] : settings) all.push_back(key + "=" + value);
    return all;
}

std::int64_t ended(const database& db) { return db.query_int("SELECT count(*) FROM {s}.runs WHERE ended IS NOT NULL"); }

}  // namespace

TEST_CASE("after a SIGTERM finished jobs are done, and no half-done job is done or discarded", "[integration][run]") {
    database db;
    test::make_journal(db);
    task_queue jobs{db.driver()};
    const std::vector<task> mixed{{1, "sleep:200"}, {2, "heed:60000"}, {3, "heed:60000"}, {4, "sleep:200"}};
    (void)jobs.enqueue(mixed).value();
    auto w = test::start_worker(db, {{"threads", "4"}, {"grace", "1000"}});
    REQUIRE(eventually([&] { return db.rows("runs") == 4; }));
    w.send(SIGTERM);
    CHECK(w.wait() == 0);
    CHECK(ended(db) == 2);
    CHECK(db.rows("ready") == 2);  // those that gave up, and they have no attempt more
    CHECK(db.query_int("SELECT max(attempts) FROM {s}.ready") == 0);
    CHECK(db.rows("lease") == 0);
    CHECK(db.has_no_worker());
}

TEST_CASE("a second SIGTERM ends the process at once with 143, and the jobs run elsewhere", "[integration][run]") {
    database db;
    test::make_journal(db);
    task_queue jobs{db.driver()};
    (void)jobs.enqueue(task{1, "sleep:60000"}).value();
    auto w = test::start_worker(db, {{"grace", "60000"}, {"lease", "1000"}});
    REQUIRE(eventually([&] { return db.rows("runs") == 1; }));
    w.send(SIGTERM);
    CHECK(test::always(300ms, [&] { return !w.exited(); }));
    const auto sent = steady::now();
    w.send(SIGTERM);
    CHECK(w.wait() == 143);
    CHECK(steady::now() - sent < 10s);
    CHECK(ended(db) == 0);
    CHECK(db.rows("lease") == 1);
    auto next = test::start_worker(db, {{"do", "done"}, {"lease", "1000"}});
    CHECK(eventually([&] { return ended(db) == 1; }));
}

TEST_CASE("a SIGINT and then a SIGTERM count as two signals", "[integration][run]") {
    database db;
    test::make_journal(db);
    task_queue jobs{db.driver()};
    (void)jobs.enqueue(task{1, "sleep:60000"}).value();
    auto w = test::start_worker(db, {{"grace", "60000"}});
    REQUIRE(eventually([&] { return db.rows("runs") == 1; }));
    w.send(SIGHUP);  // this one does not count
    w.send(SIGINT);
    CHECK(test::always(300ms, [&] { return !w.exited(); }));
    w.send(SIGTERM);
    CHECK(w.wait() == 143);
}

TEST_CASE("a worker that cannot connect starts again until it can", "[integration][run]") {
    database db;
    test::make_journal(db);
    test::proxy proxy;
    proxy.go_down();
    task_queue jobs{db.driver()};
    (void)jobs.enqueue(task{1, "done"}).value();
    const auto health = free_port();
    test::process w{arguments(db, proxy.conninfo(db.conninfo()),
                              {{"connect", "0"}, {"restart", "100"}, {"health", std::to_string(health)}})};
    REQUIRE(eventually([&] { return is_unavailable(get(health, "/readyz")); }));
    CHECK(is_ok(get(health, "/healthz")));
    CHECK_FALSE(w.says("READY", 500ms));
    CHECK_FALSE(w.exited());
    proxy.go_up();
    CHECK(w.says("READY"));
    CHECK(eventually([&] { return ended(db) == 1; }));
    w.send(SIGTERM);
    CHECK(w.wait() == 0);
}

TEST_CASE("a worker without its tables ends with the exit code of a wrong setup", "[integration][run]") {
    database db;
    test::make_journal(db);
    auto all = arguments(db, db.conninfo(), {{"restart", "10"}});
    db.exec("DELETE FROM {s}.migration");
    test::process w{std::move(all)};
    CHECK(w.wait() == 78);
}

TEST_CASE("the health port of a process answers while jobs run, while the server is away, and while it stops",
          "[integration][run]") {
    database db;
    test::make_journal(db);
    test::proxy proxy;
    task_queue jobs{db.driver()};
    const auto port = free_port();
    test::process w{
        arguments(db, proxy.conninfo(db.conninfo()), {{"grace", "60000"}, {"health", std::to_string(port)}})};
    REQUIRE(w.says("READY"));
    CHECK(eventually([&] { return is_ok(get(port, "/readyz")); }));
    (void)jobs.enqueue(task{1, "sleep:3000"}).value();
    CHECK(eventually([&] { return get(port, "/healthz").find("\"handlers\":1,") != std::string::npos; }));
    CHECK(get(port, "/healthz").find("\"oldest_handler_ms\":") != std::string::npos);
    proxy.go_down();
    CHECK(eventually([&] { return is_unavailable(get(port, "/readyz")); }));
    CHECK(is_ok(get(port, "/healthz")));  // no reason to restart it
    proxy.go_up();
    CHECK(eventually([&] { return is_ok(get(port, "/readyz")); }));
    (void)jobs.enqueue(task{2, "sleep:3000"}).value();
    CHECK(eventually([&] { return db.rows("runs") == 2; }));
    w.send(SIGTERM);
    CHECK(eventually([&] { return get(port, "/readyz").find("\"stopping\":true") != std::string::npos; }));
    CHECK(is_unavailable(get(port, "/readyz")));
    CHECK(w.wait() == 0);
    CHECK(get(port, "/healthz").empty());
    CHECK(ended(db) == 2);
}

TEST_CASE("a service manager receives READY, signs of life and STOPPING from a process",
          "[integration][run][systemd]") {
    database db;
    test::make_journal(db);
    task_queue jobs{db.driver()};
    service_manager systemd{"200000"};
    auto w = test::start_worker(db, {{"grace", "60000"}});
    CHECK(eventually([&] { return systemd.received("READY=1"); }));
    CHECK(systemd.received("STATUS=running: 1 of 1 connected"));
    for (int i = 0; i < 3; ++i) {
        systemd.forget();
        CHECK(eventually([&] { return systemd.received("WATCHDOG=1"); }));
    }
    (void)jobs.enqueue(task{1, "sleep:1000"}).value();
    REQUIRE(eventually([&] { return db.rows("runs") == 1; }));
    CHECK_FALSE(systemd.received("STOPPING=1"));
    w.send(SIGTERM);
    CHECK(eventually([&] { return systemd.received("STOPPING=1"); }));
    CHECK_FALSE(w.exited());  // the job still runs
    systemd.forget();
    CHECK(eventually([&] { return systemd.received("WATCHDOG=1"); }));
    CHECK(w.wait() == 0);
    CHECK(ended(db) == 1);
}

}  // namespace integration_run
