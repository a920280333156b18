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
    int value = 0;  ///< the signal, the exit status, or why it was not started (an errno)
};

/// Runs a function in child processes, each a copy of this process as it was when this was made.
///
/// This process is copied once, into a server of a single thread, and the children are copies of that. So no other thread can
/// hold a lock in a child, unless one did when this was made: then the program had better have no other threads yet. The server
/// outlives nobody: it ends when this does, and when this process dies in whatever way, and takes its children with it.
class fork_server {
public:
    /// Throws std::system_error when there cannot be one.
    fork_server(child_function function, void* code) {
        socket_pair ends{SOCK_SEQPACKET};
        (void)std::fflush(stdout);  // what is buffered is for this process to write
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

    /// Blocks until the child has ended; from any thread. When `stop` fires the child gets a SIGTERM, and a SIGKILL when it has not
    /// ended after `grace`. An answer that came whole counts, however the child ended after it.
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
            (void)send_text(data.first.get(), request);  // a child that does not want it ends, and that is told
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
