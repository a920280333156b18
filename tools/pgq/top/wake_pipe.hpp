#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace pgq_top {

/// Other threads and signal handlers wake the thread of the screen by it.
class wake_pipe {
public:
    wake_pipe() {
        if (::pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK) != 0) ends_ = {-1, -1};
    }
    ~wake_pipe() {
        for (const int end : ends_)
            if (end >= 0) ::close(end);
    }
    wake_pipe(const wake_pipe&) = delete;
    wake_pipe& operator=(const wake_pipe&) = delete;

    int reading() const noexcept { return ends_[0]; }
    /// A signal handler may call it. A full pipe wakes, too.
    void wake() const noexcept {
        if (::write(ends_[1], "w", 1) < 0) return;
    }
    void drain() const noexcept {
        std::array<char, 64> bytes{};
        while (::read(ends_[0], bytes.data(), bytes.size()) > 0) {}
    }

private:
    std::array<int, 2> ends_{-1, -1};
};

}  // namespace pgq_top
