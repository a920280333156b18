#pragma once

#include <support/eventually.hpp>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace test {

/// Another program. The destructor kills it.
class process {
public:
    explicit process(std::vector<std::string> arguments) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error{"no pipe"};
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        std::vector<char*> argv;
        for (auto& a : arguments) argv.push_back(a.data());
        argv.push_back(nullptr);
        const int failed = ::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        output_ = ends[0];
        (void)::fcntl(output_, F_SETFL, O_NONBLOCK);
        if (failed != 0) {
            ::close(output_);
            throw std::runtime_error{"cannot start " + arguments[0]};
        }
    }
    process(process&& other) noexcept
        : pid_{std::exchange(other.pid_, -1)},
          output_{std::exchange(other.output_, -1)},
          heard_{std::move(other.heard_)},
          status_{other.status_} {}
    process& operator=(process&& other) noexcept {
        process old{std::move(*this)};
        pid_ = std::exchange(other.pid_, -1);
        output_ = std::exchange(other.output_, -1);
        heard_ = std::move(other.heard_);
        status_ = other.status_;
        return *this;
    }
    ~process() {
        if (pid_ > 0 && !status_) {
            ::kill(pid_, SIGKILL);
            while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
        }
        if (output_ >= 0) ::close(output_);
    }

    pid_t pid() const noexcept { return pid_; }

    void send(int signal_number) const {
        if (!status_) ::kill(pid_, signal_number);
    }

    /// Waits until the program has written `text` to its standard output.
    bool says(const std::string& text, std::chrono::steady_clock::duration within = test_timeout) {
        return eventually(within, [&] {
            read_output();
            return heard_.find(text) != std::string::npos || (exited() && (read_output(), false));
        });
    }

    bool exited() {
        int status = 0;
        if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
        return status_.has_value();
    }
    /// The exit code, or the negative number of the signal that ended it. None if it still runs after that time.
    std::optional<int> wait(std::chrono::steady_clock::duration within = test_timeout) {
        if (!eventually(within, [&] { return exited(); })) return std::nullopt;
        return WIFEXITED(*status_) ? WEXITSTATUS(*status_) : -WTERMSIG(*status_);
    }

private:
    void read_output() {
        char buffer[1024];
        for (ssize_t n; (n = ::read(output_, buffer, sizeof buffer)) > 0;)
            heard_.append(buffer, static_cast<std::size_t>(n));
    }

    pid_t pid_ = -1;
    int output_ = -1;
    std::string heard_;
    std::optional<int> status_;
};

}  // namespace test
