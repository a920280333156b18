#include <pgq/run/health_port.hpp>
#include <pgq/run/health_request.hpp>
#include <pgq/run/owned_fd.hpp>

#include <support/catch.hpp>
#include <support/eventually.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace unit_run_health_port {

using namespace std::chrono_literals;
using pgq::steady_time;
using pgq::detail::health_port;
using pgq::detail::health_request;
using pgq::detail::health_request_reader;
using pgq::detail::health_response;
using pgq::detail::owned_fd;

namespace {

health_request read(const std::string& bytes) { return health_request_reader::read(bytes); }

std::string answer(health_request what) { return health_response(what, true, false, "{}"); }

// A port and its loop, without a thread; time is a value.
struct server {
    health_port port = health_port::open("127.0.0.1", 0).value();
    steady_time now{1h};

    // Serves until nothing is left to do, for the clients that there are.
    void turn() {
        for (int i = 0; i < 100; ++i) {
            std::vector<pollfd> all;
            port.watch(all, now);
            if (::poll(all.data(), all.size(), 5) == 0) break;
            port.serve(answer, now);
        }
    }
};

owned_fd connect(const health_port& port) {
    owned_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port.port());
    REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    return fd;
}
void send(const owned_fd& fd, const std::string& text) {
    (void)::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}
// All that has arrived. `open`: whether the server has not closed the connection.
std::string received(const owned_fd& fd, bool* open = nullptr) {
    std::string all;
    char text[1024];
    for (;;) {
        const auto n = ::recv(fd.get(), text, sizeof text, MSG_DONTWAIT);
        if (open != nullptr) *open = n < 0 && errno == EAGAIN;
        if (n <= 0) return all;
        all.append(text, static_cast<std::size_t>(n));
    }
}
bool is_open(const owned_fd& fd) {
    bool open = false;
    (void)received(fd, &open);
    return open;
}
std::string asked(server& s, const std::string& request) {
    const auto fd = connect(s.port);
    send(fd, request);
    s.turn();
    return received(fd);
}

}  // namespace

TEST_CASE("a request is complete at its blank line, and only its first line counts", "[unit][run][health_port]") {
    CHECK(read("") == health_request::incomplete);
    CHECK(read("GE") == health_request::incomplete);
    CHECK(read("GET /healthz HTTP/1.1\r\n") == health_request::incomplete);
    CHECK(read("GET /healthz HTTP/1.1\r\nHost: x\r\n") == health_request::incomplete);
    CHECK(read("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") == health_request::health);
    CHECK(read("GET /healthz HTTP/1.0\n\n") == health_request::health);
    CHECK(read("GET /readyz?verbose=1 HTTP/1.1\r\n\r\n") == health_request::readiness);
    CHECK(read("GET / HTTP/1.1\r\n\r\n") == health_request::elsewhere);
    CHECK(read("GET /healthz/ HTTP/1.1\r\n\r\n") == health_request::elsewhere);
    CHECK(read("POST /healthz HTTP/1.1\r\n\r\n") == health_request::other_method);
}

TEST_CASE("bytes that are no request are refused as soon as that is certain", "[unit][run][health_port]") {
    CHECK(read("get") == health_request::malformed);
    CHECK(read(std::string("\0\x16\x03", 3)) == health_request::malformed);
    CHECK(read("ABCDEFGHIJKLMNOPQ") == health_request::malformed);  // no method is that long
    for (const char* bad : {"\n", "GET\n", "GET /healthz\n", "GET  HTTP/1.1\n", "GET /healthz HTTP/2\n",
                            "GET x HTTP/1.1\n", "GET /a b HTTP/1.1\n", "GET /\x7f HTTP/1.1\n", " GET / HTTP/1.1\n"})
        CHECK(read(bad) == health_request::malformed);
    CHECK(read("GET /" + std::string(health_request_reader::max_bytes, 'a')) == health_request::too_large);
    CHECK(read("GET /healthz HTTP/1.1\r\n" + std::string(health_request_reader::max_bytes, 'a')) ==
          health_request::too_large);
}

TEST_CASE("the response has the status, the body and its length", "[unit][run][health_port]") {
    CHECK(health_response(health_request::health, true, false, "{}") ==
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nConnection: close\r\n"
          "Content-Length: 3\r\n\r\n{}\n");
    CHECK(health_response(health_request::health, false, true, "{}").starts_with("HTTP/1.1 503 "));
    CHECK(health_response(health_request::readiness, true, false, "{}").starts_with("HTTP/1.1 503 "));
    CHECK(health_response(health_request::readiness, false, true, "{}").starts_with("HTTP/1.1 200 "));
    CHECK(health_response(health_request::elsewhere, true, true, "{}").starts_with("HTTP/1.1 404 "));
    CHECK(health_response(health_request::other_method, true, true, "{}").starts_with("HTTP/1.1 405 "));
    CHECK(health_response(health_request::other_method, true, true, "{}").find("\r\nAllow: GET\r\n") !=
          std::string::npos);
    CHECK(health_response(health_request::too_large, true, true, "{}").starts_with("HTTP/1.1 431 "));
    CHECK(health_response(health_request::malformed, true, true, "{}").ends_with("\r\nContent-Length: 0\r\n\r\n"));
}

TEST_CASE("a client gets one answer, and the connection ends", "[unit][run][health_port]") {
    server s;
    const auto fd = connect(s.port);
    send(fd, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n");
    s.turn();
    bool open = true;
    CHECK(received(fd, &open) == answer(health_request::health));
    CHECK_FALSE(open);
    CHECK(asked(s, "GET /readyz HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 503 "));
}

TEST_CASE("a request may arrive byte by byte", "[unit][run][health_port]") {
    server s;
    const auto fd = connect(s.port);
    for (const char c : std::string{"GET /healthz HTTP/1.1\r\n\r"}) {
        send(fd, {c});
        s.turn();
        CHECK(received(fd).empty());
    }
    send(fd, "\n");
    s.turn();
    CHECK(received(fd) == answer(health_request::health));
}

TEST_CASE("a client that is slow, or does not read the end, is closed after its time", "[unit][run][health_port]") {
    server s;
    const auto silent = connect(s.port);
    const auto slow = connect(s.port);
    const auto stays = connect(s.port);
    send(slow, "GET /healthz");
    send(stays, "GET /healthz HTTP/1.1\r\n\r\n");
    s.turn();
    CHECK(s.port.clients() == 3);
    CHECK(s.port.next_at() == s.now + health_port::max_time);
    s.now += health_port::max_time - 1ns;
    send(slow, " ");  // another byte does not buy time
    s.turn();
    CHECK(s.port.clients() == 3);
    s.now += 1ns;
    s.port.serve(answer, s.now);
    CHECK(s.port.clients() == 0);
    CHECK_FALSE(is_open(silent));
    CHECK_FALSE(is_open(slow));
    CHECK(s.port.next_at() == steady_time::max());
}

TEST_CASE("a huge request is refused at the bound, and no more of it is kept", "[unit][run][health_port]") {
    server s;
    const auto fd = connect(s.port);
    const std::string more(60'000, 'a');
    send(fd, "GET /" + more);
    s.turn();
    CHECK(received(fd).starts_with("HTTP/1.1 431 "));
    // It goes on sending: the server ignores 64 KiB, and closes then.
    REQUIRE(test::eventually([&] {
        send(fd, more);
        s.turn();
        return s.port.clients() == 0;
    }));
}

TEST_CASE("garbage is refused at once", "[unit][run][health_port]") {
    server s;
    CHECK(asked(s, std::string("\x16\x03\x01\x02\x00\x01", 6)).starts_with("HTTP/1.1 400 "));
    CHECK(asked(s, "hello\r\n\r\n").starts_with("HTTP/1.1 400 "));
}

TEST_CASE("a client that resets its connection disturbs no other", "[unit][run][health_port]") {
    server s;
    const auto good = connect(s.port);
    s.turn();
    for (int i = 0; i < 50; ++i) {
        const auto fd = connect(s.port);
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        send(fd, "GET /healthz HTTP/1.1\r\n\r\n");
        if (i % 2 == 0) s.turn();
    }
    send(good, "GET /healthz HTTP/1.1\r\n\r\n");
    s.turn();
    CHECK(received(good) == answer(health_request::health));
}

TEST_CASE("with many silent clients a new one is answered, and their number is bounded", "[unit][run][health_port]") {
    server s;
    std::vector<owned_fd> silent;
    for (int i = 0; i < 100; ++i) {
        silent.push_back(connect(s.port));
        s.turn();
        CHECK(s.port.clients() <= health_port::max_clients);
    }
    CHECK(asked(s, "GET /healthz HTTP/1.1\r\n\r\n") == answer(health_request::health));
    CHECK_FALSE(is_open(silent.front()));
}

TEST_CASE("without free descriptors the port waits, and serves when there are some", "[unit][run][health_port]") {
    server s;
    const auto fd = connect(s.port);
    send(fd, "GET /healthz HTTP/1.1\r\n\r\n");
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const rlimit none{0, before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    s.port.serve(answer, s.now);
    ::setrlimit(RLIMIT_NOFILE, &before);
    std::vector<pollfd> all;
    s.port.watch(all, s.now);
    CHECK(all.empty());  // the listener is readable, but polling it would not end
    CHECK(s.port.next_at() == s.now + 100ms);
    s.now += 100ms;
    s.turn();
    CHECK(received(fd) == answer(health_request::health));
}

TEST_CASE("an address that is none, or a port that is taken, is an error", "[unit][run][health_port]") {
    CHECK(health_port::open("localhost", 0).error() == pgq::errc::invalid_option);
    CHECK(health_port::open("", 0).error() == pgq::errc::invalid_option);
    const auto first = health_port::open("127.0.0.1", 0).value();
    const auto second = health_port::open("127.0.0.1", first.port());
    REQUIRE_FALSE(second);
    CHECK(second.error().code == std::errc::address_in_use);
    CHECK(second.error().message.find("health_port " + std::to_string(first.port())) != std::string::npos);
}

}  // namespace unit_run_health_port
