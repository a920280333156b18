#pragma once

#include <unistd.h>

#include <utility>

namespace pgq::detail {

/// A file descriptor that closes with its owner.
class owned_fd {
public:
    owned_fd() = default;
    explicit owned_fd(int fd) noexcept : fd_{fd} {}
    owned_fd(owned_fd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    owned_fd& operator=(owned_fd&& other) noexcept {
        reset(std::exchange(other.fd_, -1));
        return *this;
    }
    ~owned_fd() { reset(-1); }

    int get() const noexcept { return fd_; }
    void reset(int fd) noexcept {
        if (fd_ >= 0) ::close(fd_);
        fd_ = fd;
    }

private:
    int fd_ = -1;
};

}  // namespace pgq::detail
