#pragma once

#include <pgq/run/owned_fd.hpp>

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <string_view>

namespace pgq::detail {

/// An address of a Unix socket.
struct unix_address {
    sockaddr_un name{};
    socklen_t size = 0;
};

/// The address that NOTIFY_SOCKET names: an absolute path, or `@` and an abstract name. Empty for anything else.
inline std::optional<unix_address> notify_address(std::string_view text) noexcept {
    unix_address a;
    a.name.sun_family = AF_UNIX;
    const bool abstract = text.starts_with('@');
    // A path ends with a zero byte; an abstract name begins with one and has no end.
    const std::size_t most = sizeof a.name.sun_path - (abstract ? 0 : 1);
    if (text.size() < 2 || text.size() > most || !(abstract || text.starts_with('/'))) return std::nullopt;
    std::copy(text.begin(), text.end(), a.name.sun_path);
    if (abstract) a.name.sun_path[0] = '\0';
    a.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size() + (abstract ? 0 : 1));
    return a;
}

/// Sends datagrams to the service manager. It never blocks.
class notify_socket {
public:
    /// `address`: the value of NOTIFY_SOCKET; null or something else than an address: there is no service manager.
    explicit notify_socket(const char* address) noexcept {
        if (address == nullptr) return;
        to_ = notify_address(address);
        if (to_) socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    }

    bool is_open() const noexcept { return socket_.get() >= 0; }
    /// False if the message should be sent again later: the receiver's buffer is full.
    bool send(std::string_view message) const noexcept {
        const auto* const name = reinterpret_cast<const sockaddr*>(&to_->name);
        for (;;) {
            if (::sendto(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL, name, to_->size) >= 0)
                return true;
            if (errno != EINTR) return errno != EAGAIN && errno != ENOBUFS;
        }
    }

private:
    std::optional<unix_address> to_{};
    owned_fd socket_{};
};

}  // namespace pgq::detail
