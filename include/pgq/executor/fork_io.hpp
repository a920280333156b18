#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

// The messages between a process and its fork server, over local sockets.
namespace pgq::detail {

/// Owns a file descriptor and closes it.
class descriptor {
public:
    explicit descriptor(int fd = -1) noexcept : fd_{fd} {}
    descriptor(descriptor&& other) noexcept : fd_{other.release()} {}
    descriptor& operator=(descriptor&& other) noexcept {
        close();
        fd_ = other.release();
        return *this;
    }
    ~descriptor() { close(); }

    int get() const noexcept { return fd_; }
    int release() noexcept { return std::exchange(fd_, -1); }
    void close() noexcept {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

private:
    int fd_;
};

/// Two connected sockets of this process.
struct socket_pair {
    /// `type` is SOCK_STREAM or SOCK_SEQPACKET. Throws std::system_error if the system refuses.
    explicit socket_pair(int type) {
        int ends[2];
        if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0)
            throw std::system_error{errno, std::system_category(), "socketpair"};
        first = descriptor{ends[0]};
        second = descriptor{ends[1]};
    }

    descriptor first;
    descriptor second;
};

/// How a child ended, as the server reports it.
struct child_status {
    int failed_to_start = 0;  ///< the errno of fork; 0 if the child was started
    int wait_status = 0;      ///< the status of waitpid
};

/// The buffer of a message with two descriptors.
union descriptor_message {
    char bytes[CMSG_SPACE(2 * sizeof(int))];
    cmsghdr aligned;
};

inline bool send_descriptors(int socket, int first, int second) noexcept {
    char byte = 0;
    iovec part{&byte, 1};
    descriptor_message buffer{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = buffer.bytes;
    message.msg_controllen = sizeof buffer.bytes;
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(2 * sizeof(int));
    const int both[2] = {first, second};
    std::memcpy(CMSG_DATA(head), both, sizeof both);
    ssize_t sent = 0;
    while ((sent = ::sendmsg(socket, &message, MSG_NOSIGNAL)) < 0 && errno == EINTR) {}
    return sent == 1;
}

enum class received { descriptors, nothing, end };

inline received receive_descriptors(int socket, int& first, int& second) noexcept {
    char byte = 0;
    iovec part{&byte, 1};
    descriptor_message buffer{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = buffer.bytes;
    message.msg_controllen = sizeof buffer.bytes;
    const ssize_t got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (got == 0) return received::end;
    const cmsghdr* const head = got < 0 ? nullptr : CMSG_FIRSTHDR(&message);
    if (head == nullptr || head->cmsg_len != CMSG_LEN(2 * sizeof(int))) return received::nothing;
    int both[2];
    std::memcpy(both, CMSG_DATA(head), sizeof both);
    first = both[0];
    second = both[1];
    return received::descriptors;
}

/// Receives up to `size` bytes. Returns fewer if the other side closes the connection, or, with MSG_DONTWAIT, if no
/// more bytes have arrived.
inline std::size_t receive_whole(int socket, void* into, std::size_t size, int flags = 0) noexcept {
    std::size_t have = 0;
    while (have < size) {
        const ssize_t got = ::recv(socket, static_cast<char*>(into) + have, size - have, flags);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        have += static_cast<std::size_t>(got);
    }
    return have;
}

inline bool send_whole(int socket, const void* from, std::size_t size) noexcept {
    std::size_t sent = 0;
    while (sent < size) {
        const ssize_t n = ::send(socket, static_cast<const char*>(from) + sent, size - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        sent += static_cast<std::size_t>(n);
    }
    return true;
}

inline bool send_text(int socket, std::string_view text) noexcept {
    const std::uint64_t size = text.size();
    return send_whole(socket, &size, sizeof size) && send_whole(socket, text.data(), text.size());
}
inline bool receive_text(int socket, std::string& text, int flags = 0) {
    std::uint64_t size = 0;
    if (receive_whole(socket, &size, sizeof size, flags) != sizeof size) return false;
    text.resize(static_cast<std::size_t>(size));
    return receive_whole(socket, text.data(), text.size(), flags) == text.size();
}

}  // namespace pgq::detail
