#pragma once

#include <pgq/error/result.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <optional>
#include <system_error>

namespace pgq::detail {

/// Receives SIGTERM, SIGINT and SIGHUP while it is open: the handler only writes the number into a pipe. So it does not
/// matter which threads the program has. close() restores what the program had set. One object of the process can be
/// open at a time.
///
/// A SIGINT or SIGHUP that the program ignores stays ignored, as nohup and a shell's `&` want it. In a copy of the
/// process that fork() makes, the signals have their default effect.
class signal_pipe {
public:
    signal_pipe() = default;
    signal_pipe(const signal_pipe&) = delete;
    signal_pipe& operator=(const signal_pipe&) = delete;
    ~signal_pipe() { close(); }

    result<void> open() {
        if (shared().in_use.exchange(true))
            return error_info{errc::invalid_option, "another call of pgq::run handles the signals of this process",
                              "set handle_signals = false in one of them"};
        open_ = true;
        if (auto made = make_pipe(); !made) return made;
        shared().process.store(::getpid());
        while (take()) {}  // of a former run
        struct sigaction action {};
        action.sa_handler = &note;
        action.sa_flags = SA_RESTART;
        sigemptyset(&action.sa_mask);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            struct sigaction was {};
            (void)::sigaction(numbers[i], nullptr, &was);
            if (was.sa_handler == SIG_IGN && numbers[i] != SIGTERM) continue;
            if (::sigaction(numbers[i], &action, &was) == 0) former_[i] = was;
        }
        return {};
    }
    void close() noexcept {
        for (std::size_t i = 0; i < numbers.size(); ++i)
            if (former_[i]) (void)::sigaction(numbers[i], &*former_[i], nullptr), former_[i].reset();
        if (open_) shared().in_use.store(false);
        open_ = false;
    }

    /// Is readable when take() has a signal; -1 while closed.
    int fd() const noexcept { return open_ ? shared().read_end.load() : -1; }
    /// The next signal that was received; 0 if there is none.
    int take() const noexcept {
        unsigned char number = 0;
        return open_ && ::read(fd(), &number, 1) == 1 ? number : 0;
    }

private:
    static constexpr std::array numbers{SIGTERM, SIGINT, SIGHUP};

    // The pipe stays until the process ends: a handler may be writing while close() runs.
    struct state {
        std::atomic<bool> in_use{false};
        std::atomic<int> read_end{-1};
        std::atomic<int> write_end{-1};
        std::atomic<pid_t> process{0};
    };
    static state& shared() noexcept {
        static constinit state all;
        return all;
    }
    static result<void> make_pipe() {
        if (shared().read_end.load() >= 0) return {};
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
            return error_info{std::error_code{errno, std::system_category()}, "cannot make a pipe for signals"};
        shared().write_end.store(ends[1]);
        shared().read_end.store(ends[0]);
        return {};
    }
    static void note(int number) noexcept {
        const int before = errno;
        if (shared().process.load() == ::getpid()) {
            const auto byte = static_cast<unsigned char>(number);
            (void)!::write(shared().write_end.load(), &byte, 1);
        } else {
            (void)std::signal(number, SIG_DFL);
            (void)std::raise(number);  // is delivered when this returns
        }
        errno = before;
    }

    bool open_ = false;
    std::array<std::optional<struct sigaction>, numbers.size()> former_{};
};

}  // namespace pgq::detail
