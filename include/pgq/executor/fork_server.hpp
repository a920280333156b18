#pragma once

#include <pgq/executor/fork_host.hpp>
#include <pgq/executor/fork_io.hpp>
#include <pgq/time/clock.hpp>

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace pgq::detail {

/// How a child ended.
struct child_end {
    enum class kind : std::uint8_t { answered, by_signal, by_exit, not_started, no_server };

    kind how = kind::no_server;
    int value = 0;  ///< the signal, the exit status, or the errno if the child was not started
};

/// Runs a function in child processes. Each child is a copy of this process at the time of the constructor.
///
/// The constructor forks a server process with one thread, and that server forks the children. So a lock is free in a
/// child unless another thread held it during the constructor. Construct it before the program starts other threads.
///
/// The server and its children end when the destructor runs or when this process ends, even if it is killed.
class fork_server {
public:
    /// Throws std::system_error if the process cannot be forked.
    fork_server(child_function function, void* code) {
        socket_pair ends{SOCK_SEQPACKET};
        (void)std::fflush(stdout);  // otherwise the copy would write the buffered output a second time
        (void)std::fflush(stderr);
        server_ = ::fork();
        if (server_ < 0) throw std::system_error{errno, std::system_category(), "fork"};
        if (server_ == 0) {
            ends.first.close();
            fork_host{ends.second.release(), function, code}.serve();
        }
        socket_ = std::move(ends.first);
    }
    fork_server(const fork_server&) = delete;
    fork_server& operator=(const fork_server&) = delete;
    ~fork_server() {
        socket_.close();
        while (::waitpid(server_, nullptr, 0) < 0 && errno == EINTR) {}
    }

    pid_t pid() const noexcept { return server_; }

    /// Runs one child and blocks until it has ended. Any thread may call it. If `stop` fires, the child gets a SIGTERM,
    /// and a SIGKILL if it has not ended after `grace`. A complete answer counts, however the child ends after it.
    child_end run(std::string_view request, const std::stop_token& stop, duration grace, std::string& answer) const {
        try {
            socket_pair data{SOCK_STREAM}, control{SOCK_SEQPACKET};
            if (!send_descriptors(socket_.get(), data.second.get(), control.second.get())) return {};
            data.second.close();
            control.second.close();
            const std::stop_callback on_stop{stop, [&control, grace] {
                                                 const std::int64_t ns = grace.count();
                                                 (void)::send(control.first.get(), &ns, sizeof ns, MSG_NOSIGNAL);
                                             }};
            (void)send_text(data.first.get(), request);  // if this fails, the child ends and the server reports how
            child_status status{};
            if (receive_whole(control.first.get(), &status, sizeof status) != sizeof status) return {};
            if (receive_text(data.first.get(), answer, MSG_DONTWAIT)) return {child_end::kind::answered, 0};
            return end_of(status);
        } catch (const std::system_error& e) { return {child_end::kind::not_started, e.code().value()}; }
    }

private:
    static child_end end_of(const child_status& s) noexcept {
        if (s.failed_to_start != 0) return {child_end::kind::not_started, s.failed_to_start};
        if (WIFSIGNALED(s.wait_status)) return {child_end::kind::by_signal, WTERMSIG(s.wait_status)};
        return {child_end::kind::by_exit, WEXITSTATUS(s.wait_status)};
    }

    descriptor socket_;
    pid_t server_ = -1;
};

}  // namespace pgq::detail
