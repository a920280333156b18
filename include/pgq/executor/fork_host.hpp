#pragma once

#if !defined(__linux__)
#error "pgq: workers run on Linux only so far. docs/reference/platforms.md says what is missing."
#endif

#include <pgq/executor/fork_io.hpp>
#include <pgq/time/clock.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::detail {

/// The function that a child process runs: it makes an answer from a request. It must not throw.
using child_function = std::string (*)(void* code, std::string_view request) noexcept;

/// The process of a fork server, with one thread: it forks children, receives their grace times and reaps them. Only it
/// sends signals to the children: as their parent it knows that a process id has not been reused.
class fork_host {
public:
    fork_host(int socket, child_function function, void* code) : socket_{socket}, function_{function}, code_{code} {}

    [[noreturn]] void serve() noexcept {
        set_up();
        while (true) {
            wait_for_events();
            if ((watched_[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !accept()) end();
            receive_grace_times();
            kill_overdue();
            reap();
        }
    }

private:
    struct child {
        pid_t pid = -1;
        int control = -1;  // -1: closed, because the worker no longer waits for this child
        steady_time kill_at = steady_time::max();
    };

    static steady_time now() noexcept { return std::chrono::steady_clock::now(); }

    void set_up() noexcept {
        (void)::setpgid(0, 0);  // signals of the terminal go to the worker, which decides what to do
        for (const int s : {SIGINT, SIGHUP, SIGQUIT, SIGTERM}) (void)std::signal(s, SIG_IGN);
        (void)std::signal(SIGCHLD, SIG_DFL);
        sigset_t mask;
        ::sigemptyset(&mask);
        ::sigaddset(&mask, SIGCHLD);
        (void)::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
        child_signals_ = ::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
        if (child_signals_ < 0) ::_exit(EXIT_FAILURE);
        drop_connections();
    }

    // Closes the sockets that this process inherited, because otherwise a connection stays open after the worker has
    // closed it. Each number then refers to /dev/null, so that code which still uses the number cannot reach another
    // file.
    void drop_connections() const noexcept {
        const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        DIR* const all = nothing < 0 ? nullptr : ::opendir("/proc/self/fd");
        if (all == nullptr) return;
        // NOLINTNEXTLINE(concurrency-mt-unsafe): the process has one thread
        while (const dirent* const entry = ::readdir(all)) {
            const int fd = std::atoi(entry->d_name);
            struct stat about {};
            if (fd > STDERR_FILENO && fd != socket_ && ::fstat(fd, &about) == 0 && S_ISSOCK(about.st_mode))
                (void)::dup2(nothing, fd);
        }
        ::closedir(all);
        ::close(nothing);
    }

    void wait_for_events() {
        watched_.clear();
        watched_.push_back({socket_, POLLIN, 0});
        watched_.push_back({child_signals_, POLLIN, 0});
        steady_time first = steady_time::max();
        for (const auto& c : children_) {
            watched_.push_back({c.control, POLLIN, 0});
            first = std::min(first, c.kill_at);
        }
        int timeout = -1;
        if (first != steady_time::max()) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(first - now()).count();
            timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
        }
        if (::poll(watched_.data(), watched_.size(), timeout) < 0)
            for (auto& w : watched_) w.revents = 0;
    }

    // Starts a child if the worker asked for one. Returns false if the worker has ended.
    bool accept() noexcept {
        int data = -1, control = -1;
        switch (receive_descriptors(socket_, data, control)) {
        case received::end: return false;
        case received::nothing: return true;
        case received::descriptors: break;
        }
        const pid_t self = ::getpid();
        const pid_t pid = ::fork();
        if (pid == 0) be_child(data, control, self);
        const int why = errno;
        ::close(data);
        if (pid < 0) {
            report(control, {.failed_to_start = why});
        } else {
            (void)::setpgid(pid, pid);  // the child does the same; one of the two is first
            children_.push_back({.pid = pid, .control = control});
        }
        return true;
    }

    [[noreturn]] void be_child(int data, int control, pid_t server) noexcept {
        (void)::setpgid(0, 0);
        // If the server is killed, the child must end too, because no process would stop it later.
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != server) ::_exit(EXIT_FAILURE);
        ::close(control);
        ::close(socket_);
        ::close(child_signals_);
        for (const auto& c : children_)
            if (c.control >= 0) ::close(c.control);
        // The signal handlers of the program must not run in a child. Signals of the terminal stay ignored.
        for (const int s :
             {SIGTERM, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGUSR1, SIGUSR2, SIGALRM})
            (void)std::signal(s, SIG_DFL);
        sigset_t none;
        ::sigemptyset(&none);
        (void)::pthread_sigmask(SIG_SETMASK, &none, nullptr);
        std::string request;
        if (!receive_text(data, request)) ::_exit(EXIT_FAILURE);
        const std::string answer = function_(code_, request);
        (void)std::fflush(stdout);
        (void)std::fflush(stderr);
        ::_exit(send_text(data, answer) ? EXIT_SUCCESS : EXIT_FAILURE);
    }

    static void report(int control, const child_status& status) noexcept {
        (void)::send(control, &status, sizeof status, MSG_NOSIGNAL | MSG_DONTWAIT);
        ::close(control);
    }

    // A message on a control socket is the grace time of that child: the child gets a SIGTERM now. A closed socket
    // means that the worker no longer waits for the child: it is killed. A child that was started after the poll is not
    // in `watched_`.
    void receive_grace_times() noexcept {
        for (std::size_t i = 2; i < watched_.size(); ++i) {
            if (watched_[i].fd < 0 || watched_[i].revents == 0) continue;
            auto& c = children_[i - 2];
            std::int64_t grace = 0;
            if (::recv(c.control, &grace, sizeof grace, MSG_DONTWAIT) == sizeof grace) {
                (void)::kill(-c.pid, SIGTERM);
                const auto most = std::chrono::duration_cast<duration>(std::chrono::hours{24 * 365}).count();
                c.kill_at = now() + duration{std::clamp<std::int64_t>(grace, 0, most)};
            } else {
                ::close(c.control);
                c.control = -1;
                (void)::kill(-c.pid, SIGKILL);
            }
        }
    }

    void kill_overdue() noexcept {
        for (auto& c : children_) {
            if (c.kill_at > now()) continue;
            (void)::kill(-c.pid, SIGKILL);
            c.kill_at = steady_time::max();
        }
    }

    void reap() noexcept {
        signalfd_siginfo ignored{};
        while (::read(child_signals_, &ignored, sizeof ignored) > 0) {}
        int status = 0;
        for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
            const auto found =
                std::find_if(children_.begin(), children_.end(), [pid](const child& c) { return c.pid == pid; });
            if (found == children_.end()) continue;
            if (found->control >= 0) report(found->control, {.failed_to_start = 0, .wait_status = status});
            children_.erase(found);
        }
    }

    [[noreturn]] void end() noexcept {
        for (const auto& c : children_) {
            (void)::kill(-c.pid, SIGKILL);
            while (::waitpid(c.pid, nullptr, 0) < 0 && errno == EINTR) {}
        }
        ::_exit(EXIT_SUCCESS);
    }

    int socket_;
    int child_signals_ = -1;  // a signalfd for SIGCHLD
    child_function function_;
    void* code_;
    std::vector<child> children_;
    std::vector<pollfd> watched_;
};

}  // namespace pgq::detail
