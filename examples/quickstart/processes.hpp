#pragma once

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace quickstart {

/// Blocks Ctrl-C, TERM, HUP and CHLD, and receives them in wait(). Construct it before any thread or child process.
class signals {
public:
    signals() {
        sigemptyset(&set_);
        for (const int s : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&set_, s);
        pthread_sigmask(SIG_BLOCK, &set_, &before_);
        std::signal(SIGPIPE, SIG_IGN);  // `quickstart | head` must still drop its tables
    }

    /// The signal that arrives within this time, or 0.
    int wait(std::chrono::milliseconds time) const {
        const timespec t{.tv_sec = time.count() / 1000, .tv_nsec = time.count() % 1000 * 1'000'000};
        const int which = sigtimedwait(&set_, nullptr, &t);
        return which > 0 ? which : 0;
    }

    bool stop_requested() const {
        for (;;) {
            const int which = wait(std::chrono::milliseconds{0});
            if (which != SIGCHLD) return which != 0;
        }
    }

    const sigset_t& before() const noexcept { return before_; }

private:
    sigset_t set_{};
    sigset_t before_{};
};

/// Worker processes of this program. They end with this object, and with this process.
class processes {
public:
    processes(const signals& s, std::string argument) : signals_{&s}, argument_{std::move(argument)} {}
    processes(const processes&) = delete;
    processes& operator=(const processes&) = delete;
    ~processes() { (void)stop(); }

    void start() {
        const pid_t parent = getpid();
        const pid_t child = fork();
        if (child < 0) throw std::runtime_error{std::string{"fork: "} + std::strerror(errno)};
        if (child == 0) become_worker(parent);
        running_.push_back(child);
    }

    /// One message per process that ended since the last call.
    std::vector<std::string> ended() {
        std::vector<std::string> messages;
        int status = 0;
        for (pid_t p; (p = waitpid(-1, &status, WNOHANG)) > 0;) {
            std::erase(running_, p);
            messages.push_back("worker " + std::to_string(p) + " ended: " + describe(status));
        }
        return messages;
    }

    /// Tells the processes to stop, and waits until they have finished their jobs. False if one failed.
    bool stop() noexcept {
        for (const pid_t p : running_) kill(p, SIGTERM);
        bool good = true;
        for (const pid_t p : running_) {
            int status = 0;
            while (waitpid(p, &status, 0) < 0 && errno == EINTR) {}
            good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
        }
        running_.clear();
        return good;
    }

    std::size_t size() const noexcept { return running_.size(); }

private:
    [[noreturn]] void become_worker(pid_t parent) const {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent) _exit(1);  // the parent ended before prctl
        pthread_sigmask(SIG_SETMASK, &signals_->before(), nullptr);
        execl("/proc/self/exe", "quickstart", "worker", argument_.c_str(), nullptr);
        _exit(127);
    }

    static std::string describe(int status) {
        if (WIFSIGNALED(status)) return strsignal(WTERMSIG(status));
        return "exit status " + std::to_string(WEXITSTATUS(status));
    }

    const signals* signals_;
    std::string argument_;
    std::vector<pid_t> running_;
};

}  // namespace quickstart
