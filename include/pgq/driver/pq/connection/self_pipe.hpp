#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace pgq::driver::pq {

/// A pipe that ends a poll() from another thread. A signal before the poll is not lost; several count as one.
class self_pipe {
public:
    self_pipe() {
        if (::pipe2(ends_.data(), O_NONBLOCK | O_CLOEXEC) != 0)
            throw std::system_error{errno, std::generic_category(), "pipe"};
    }
    ~self_pipe() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    self_pipe(const self_pipe&) = delete;
    self_pipe& operator=(const self_pipe&) = delete;

    void signal() noexcept {
        const char one = 1;
        [[maybe_unused]] const auto n = ::write(ends_[1], &one, 1);  // a full pipe is a signal already
    }
    /// Takes back all signals; true when there was one.
    bool drain() noexcept {
        char sink[64];
        bool any = false;
        while (::read(ends_[0], sink, sizeof sink) > 0) any = true;
        return any;
    }
    int descriptor() const noexcept { return ends_[0]; }

private:
    std::array<int, 2> ends_{-1, -1};
};

}  // namespace pgq::driver::pq
