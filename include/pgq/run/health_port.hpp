#pragma once

#include <pgq/error/result.hpp>
#include <pgq/run/health_request.hpp>
#include <pgq/run/owned_fd.hpp>
#include <pgq/time/clock.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace pgq::detail {

/// A TCP port that answers requests for the health of the program. It is no web server: it reads one small request of a
/// connection, answers and closes.
///
/// It has no thread and never blocks. The caller polls the descriptors of watch() until next_at(), and then calls
/// serve(). Clients can neither make it wait nor make it grow: a connection has `max_time` and
/// health_request_reader::max_bytes, and if there are `max_clients`, a new one closes the oldest.
class health_port {
public:
    static constexpr std::size_t max_clients = 16;
    static constexpr std::chrono::seconds max_time{2};
    /// The answer to a request.
    using answer_function = std::function<std::string(health_request)>;

    /// Listens. `address`: numeric IPv4 or IPv6. Port 0: any free port.
    static result<health_port> open(const std::string& address, std::uint16_t port) {
        sockaddr_storage name{};
        const socklen_t size = read_address(address, port, name);
        if (size == 0)
            return error_info{errc::invalid_option, "health_address is no numeric IPv4 or IPv6 address: " + address};
        health_port made;
        made.listener_.reset(::socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        const int on = 1;
        (void)::setsockopt(made.listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (made.listener_.get() < 0 ||
            ::bind(made.listener_.get(), reinterpret_cast<const sockaddr*>(&name), size) != 0 ||
            ::listen(made.listener_.get(), static_cast<int>(max_clients)) != 0)
            return cannot_listen({errno, std::system_category()}, address, port);
        return made;
    }

    std::uint16_t port() const noexcept {
        sockaddr_storage name{};
        socklen_t size = sizeof name;
        (void)::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&name), &size);
        if (name.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(name).sin6_port);
        return ntohs(reinterpret_cast<const sockaddr_in&>(name).sin_port);
    }
    std::size_t clients() const noexcept { return clients_.size(); }

    /// Appends what to poll.
    void watch(std::vector<pollfd>& all, steady_time now) const {
        if (now >= accept_again_at_) all.push_back({listener_.get(), POLLIN, 0});
        for (const auto& c : clients_)
            all.push_back({c.socket.get(), static_cast<short>(c.state == phase::writing ? POLLOUT : POLLIN), 0});
    }
    /// When serve() has something to do even if no descriptor is ready.
    steady_time next_at() const noexcept {
        steady_time at = accept_again_at_ > steady_time::min() ? accept_again_at_ : steady_time::max();
        for (const auto& c : clients_) at = std::min(at, c.ends_at);
        return at;
    }
    /// Reads and writes what can be read and written now.
    void serve(const answer_function& answer, steady_time now) {
        if (now >= accept_again_at_) accept_clients(now);
        std::erase_if(clients_, [&](client& c) { return now >= c.ends_at || !advance(c, answer); });
    }

private:
    enum class phase : std::uint8_t { reading, writing, closing };
    struct client {
        owned_fd socket{};
        steady_time ends_at{};
        phase state = phase::reading;
        std::string in{};
        std::string out{};
        std::size_t ignored = 0;
    };

    static error_info cannot_listen(std::error_code why, const std::string& address, std::uint16_t port) {
        return {why, "cannot listen on health_port " + std::to_string(port) + " of " + address + ": " + why.message()};
    }
    static socklen_t read_address(const std::string& text, std::uint16_t port, sockaddr_storage& name) noexcept {
        auto& v4 = reinterpret_cast<sockaddr_in&>(name);
        if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
            v4.sin_family = AF_INET;
            v4.sin_port = htons(port);
            return sizeof v4;
        }
        name = {};
        auto& v6 = reinterpret_cast<sockaddr_in6&>(name);
        if (::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) != 1) return 0;
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        return sizeof v6;
    }

    void accept_clients(steady_time now) {
        accept_again_at_ = steady_time::min();
        for (std::size_t i = 0; i < max_clients; ++i) {
            owned_fd socket{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
            if (socket.get() < 0) {
                // Without free descriptors the listener stays readable.
                if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                    accept_again_at_ = now + std::chrono::milliseconds{100};
                if (errno != ECONNABORTED && errno != EINTR) return;
                continue;
            }
            if (clients_.size() == max_clients) clients_.erase(clients_.begin());
            clients_.push_back({.socket = std::move(socket), .ends_at = now + max_time});
        }
    }

    // False when the connection is over.
    static bool advance(client& c, const answer_function& answer) {
        if (c.state == phase::reading && !read_request(c, answer)) return false;
        if (c.state == phase::writing && !write_answer(c)) return false;
        return c.state != phase::closing || ignore_rest(c);
    }
    static bool read_request(client& c, const answer_function& answer) {
        char bytes[1024];
        for (;;) {
            const auto n = ::recv(c.socket.get(), bytes, sizeof bytes, 0);
            if (n == 0) return false;
            if (n < 0) return would_block();
            c.in.append(bytes, static_cast<std::size_t>(n));
            const auto what = health_request_reader::read(c.in);
            if (what == health_request::incomplete) continue;
            c.out = answer(what);
            c.state = phase::writing;
            return true;
        }
    }
    static bool write_answer(client& c) {
        while (!c.out.empty()) {
            const auto n = ::send(c.socket.get(), c.out.data(), c.out.size(), MSG_NOSIGNAL);
            if (n < 0) return would_block();
            c.out.erase(0, static_cast<std::size_t>(n));
        }
        (void)::shutdown(c.socket.get(), SHUT_WR);
        c.state = phase::closing;
        return true;
    }
    // If unread bytes were left at the close, the client's system could drop the answer.
    static bool ignore_rest(client& c) {
        char bytes[4096];
        while (c.ignored < 16 * sizeof bytes) {
            const auto n = ::recv(c.socket.get(), bytes, sizeof bytes, 0);
            if (n == 0) return false;
            if (n < 0) return would_block();
            c.ignored += static_cast<std::size_t>(n);
        }
        return false;
    }
    static bool would_block() noexcept { return errno == EAGAIN || errno == EINTR; }

    owned_fd listener_{};
    std::vector<client> clients_{};
    steady_time accept_again_at_ = steady_time::min();
};

}  // namespace pgq::detail
