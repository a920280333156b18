#include <pgq/run/notify_socket.hpp>
#include <pgq/run/owned_fd.hpp>
#include <pgq/run/service_notifier.hpp>

#include <support/catch.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>

namespace unit_run_service_notifier {

using namespace std::chrono_literals;
using pgq::steady_time;
using pgq::detail::notify_address;
using pgq::detail::notify_socket;
using pgq::detail::owned_fd;
using pgq::detail::service_notifier;
using pgq::detail::service_state;
using pgq::detail::watchdog_interval;

namespace {

constexpr steady_time start{1h};

// What is sent now, and it is sent.
std::string send(service_notifier& n, const service_state& s, steady_time now) {
    auto text = n.due(s, now);
    n.sent(s, now);
    return text;
}

owned_fd receiver(const std::string& address) {
    const auto a = notify_address(address).value();
    owned_fd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&a.name), a.size) == 0);
    return fd;
}
std::string received(const owned_fd& fd) {
    char text[512];
    const auto n = ::recv(fd.get(), text, sizeof text, 0);
    return n < 0 ? "nothing" : std::string(text, static_cast<std::size_t>(n));
}

}  // namespace

TEST_CASE("READY and STOPPING are sent once, with a status", "[unit][run][systemd]") {
    service_notifier n{std::nullopt};
    service_state s{.healthy = true, .status = "not ready: 0 of 1 connected"};
    CHECK(send(n, s, start) == "STATUS=not ready: 0 of 1 connected");
    CHECK(send(n, s, start).empty());
    s = {.ready = true, .healthy = true, .status = "running"};
    CHECK(send(n, s, start + 1s) == "READY=1\nSTATUS=running");
    CHECK(send(n, s, start + 2s).empty());
    s.ready = false;
    CHECK(send(n, s, start + 3s).empty());
    s.ready = true;
    CHECK(send(n, s, start + 4s).empty());
    s = {.healthy = true, .stopping = true, .status = "stopping"};
    CHECK(send(n, s, start + 5s) == "STOPPING=1\nSTATUS=stopping");
    CHECK(send(n, s, start + 6s).empty());
    CHECK(n.next_at() == steady_time::max());
}

TEST_CASE("a message stays due until it was sent", "[unit][run][systemd]") {
    service_notifier n{10s};
    const service_state s{.ready = true, .healthy = true, .status = "up"};
    CHECK(n.due(s, start) == "READY=1\nSTATUS=up\nWATCHDOG=1");
    CHECK(send(n, s, start + 1s) == "READY=1\nSTATUS=up\nWATCHDOG=1");
    CHECK(n.due(s, start + 1s).empty());
}

TEST_CASE("the watchdog is fed at its interval, only after READY and while the program is healthy",
          "[unit][run][systemd]") {
    service_notifier n{10s};
    service_state s{.healthy = true};
    CHECK(send(n, s, start).empty());
    CHECK(n.next_at() == steady_time::max());
    s.ready = true;
    CHECK(send(n, s, start + 1s) == "READY=1\nWATCHDOG=1");
    CHECK(n.next_at() == start + 11s);
    CHECK(send(n, s, start + 11s - 1ns).empty());
    CHECK(send(n, s, start + 11s) == "WATCHDOG=1");
    s.healthy = false;
    CHECK(send(n, s, start + 30s).empty());
    s.healthy = true;
    s.ready = false;  // the database is away
    CHECK(send(n, s, start + 31s) == "WATCHDOG=1");
    s.stopping = true;
    CHECK(send(n, s, start + 41s) == "STOPPING=1\nWATCHDOG=1");
}

TEST_CASE("a line end in a status begins no other assignment", "[unit][run][systemd]") {
    service_notifier n{std::nullopt};
    CHECK(send(n, {.status = "a\nREADY=1\rb"}, start) == "STATUS=a READY=1 b");
}

TEST_CASE("the watchdog interval is half of WATCHDOG_USEC, if that is for this process", "[unit][run][systemd]") {
    CHECK(watchdog_interval("30000000", nullptr, 7) == 15s);
    CHECK(watchdog_interval("30000000", "7", 7) == 15s);
    CHECK_FALSE(watchdog_interval("30000000", "8", 7));
    CHECK_FALSE(watchdog_interval("30000000", "", 7));
    CHECK_FALSE(watchdog_interval(nullptr, nullptr, 7));
    for (const char* bad : {"", "0", "-1", "1s", " 1", "99999999999999999999", "9223372036854775807"})
        CHECK_FALSE(watchdog_interval(bad, nullptr, 7));
    CHECK(watchdog_interval("1", nullptr, 7) == 1ms);
}

TEST_CASE("the address of NOTIFY_SOCKET is a path or an abstract name", "[unit][run][systemd]") {
    const auto path = notify_address("/run/x").value();
    CHECK(std::string{path.name.sun_path} == "/run/x");
    CHECK(path.size == offsetof(sockaddr_un, sun_path) + 7);
    const auto abstract = notify_address("@abc").value();
    CHECK(std::string(abstract.name.sun_path, 4) == std::string("\0abc", 4));
    CHECK(abstract.size == offsetof(sockaddr_un, sun_path) + 4);
    CHECK(notify_address("/" + std::string(106, 'x')));
    CHECK_FALSE(notify_address("/" + std::string(107, 'x')));
    CHECK(notify_address("@" + std::string(107, 'x')));
    CHECK_FALSE(notify_address("@" + std::string(108, 'x')));
    for (const char* bad : {"", "/", "@", "relative", "vsock:2:1234"}) CHECK_FALSE(notify_address(bad));
}

TEST_CASE("datagrams arrive at a socket with a path and at an abstract one", "[unit][run][systemd]") {
    char folder[] = "/tmp/pgq_notify_XXXXXX";
    REQUIRE(::mkdtemp(folder) != nullptr);
    const std::string path = std::string{folder} + "/socket";
    const std::string name = GENERATE(false, true) ? "@pgq_notify_" + std::to_string(::getpid()) : path;
    {
        const auto in = receiver(name);
        const notify_socket out{name.c_str()};
        REQUIRE(out.is_open());
        CHECK(out.send("READY=1\nSTATUS=up"));
        CHECK(received(in) == "READY=1\nSTATUS=up");
        CHECK(received(in) == "nothing");
    }
    ::unlink(path.c_str());
    ::rmdir(folder);
}

TEST_CASE("a full buffer of the service manager says: again later, and its absence does not", "[unit][run][systemd]") {
    const std::string name = "@pgq_notify_full_" + std::to_string(::getpid());
    const notify_socket out{name.c_str()};
    CHECK(out.send("to nobody"));
    const auto in = receiver(name);
    int sent = 0;
    while (sent < 100'000 && out.send("x")) ++sent;
    CHECK(sent < 100'000);
    while (received(in) != "nothing") {}
    CHECK(out.send("x"));
}

TEST_CASE("without NOTIFY_SOCKET there is no service manager", "[unit][run][systemd]") {
    CHECK_FALSE(notify_socket{nullptr}.is_open());
    CHECK_FALSE(notify_socket{""}.is_open());
}

}  // namespace unit_run_service_notifier
