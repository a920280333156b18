#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace pgq::driver::pq {

/// A pipe to end somebody's poll() from another thread. Signals before the wait are not lost and several count as one.
class waker {
public:
    waker() {
        if (::pipe2(ends_.data(), O_NONBLOCK | O_CLOEXEC) != 0)
            throw std::system_error{errno, std::generic_category(), "pipe"};
    }
    ~waker() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    waker(const waker&) = delete;
    waker& operator=(const waker&) = delete;

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
