#pragma once

#include <support/faults/fault_plan.hpp>
#include <support/faults/session_watch.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace test::faults {

/// What the proxy has done. Called from the thread of a connection.
struct fault_report {
    std::function<void()> delayed;
    std::function<void(fault, const session_watch&)> broke;
};

/// Forwards one connection, in the calling thread, and breaks it as its plan says.
class faulty_connection {
public:
    /// It closes both sockets. `client` is a TCP socket.
    faulty_connection(int client, int server, fault_plan plan, known_sessions& known, const fault_report& report)
        : client_{client}, server_{server}, plan_{std::move(plan)}, watch_{known}, known_{&known}, report_{&report} {}
    faulty_connection(const faulty_connection&) = delete;
    faulty_connection& operator=(const faulty_connection&) = delete;
    ~faulty_connection() {
        ::close(client_);
        ::close(server_);
    }

    /// Returns when the connection has ended.
    void forward() {
        while (!over_) {
            const auto now = steady::now();
            if (cut_at_ && now >= *cut_at_) return cut();
            if (silent_) return stay_silent();
            ::pollfd fds[2] = {{client_, interest(up_, down_, now), 0}, {server_, interest(down_, up_, now), 0}};
            ::poll(fds, 2, time_to_wait(now));
            move(up_, fds[0].revents, true);
            if (!over_ && !silent_) move(down_, fds[1].revents, false);
        }
    }

private:
    using steady = std::chrono::steady_clock;

    /// One direction. What was read is forwarded at its time, before more is read.
    struct flow {
        int from, to;
        std::string bytes{};
        steady::time_point due{};
        bool examined = false;

        bool is_due(steady::time_point now) const noexcept { return !bytes.empty() && due <= now; }
    };

    static short interest(const flow& from_here, const flow& to_here, steady::time_point now) {
        return static_cast<short>((from_here.bytes.empty() ? POLLIN : 0) | (to_here.is_due(now) ? POLLOUT : 0));
    }
    int time_to_wait(steady::time_point now) const {
        auto next = cut_at_.value_or(steady::time_point::max());
        for (const flow* f : {&up_, &down_})
            if (!f->bytes.empty() && f->due > now) next = std::min(next, f->due);
        if (next == steady::time_point::max()) return -1;
        return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(std::max(next - now, {})).count());
    }

    void move(flow& f, short events, bool is_up) {
        if (f.bytes.empty() && (events & (POLLIN | POLLHUP | POLLERR)) != 0) {
            char buffer[65536];
            const auto n = ::recv(f.from, buffer, sizeof buffer, MSG_DONTWAIT);
            if (n <= 0) return void(over_ = n == 0 || errno != EAGAIN);
            f.bytes.assign(buffer, static_cast<std::size_t>(n));
            f.examined = false;
            const auto later = watch_.is_opaque() ? std::chrono::milliseconds{0} : plan_.delay(watch_);
            f.due = steady::now() + later;
            if (later.count() > 0) report_->delayed();
        }
        if (!f.is_due(steady::now())) return;
        if (!std::exchange(f.examined, true)) is_up ? examine_request(f) : examine_answer(f);
        if (!over_ && !silent_) send(f);
    }

    void send(flow& f) {
        if (f.bytes.empty()) return;
        const auto n = ::send(f.to, f.bytes.data(), f.bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) f.bytes.erase(0, static_cast<std::size_t>(n));
        else if (errno != EAGAIN) over_ = true;
    }

    void examine_request(flow& f) {
        const int before = watch_.transactions();
        const bool is_alone = watch_.is_answered();
        watch_.sent(f.bytes);
        if (watch_.is_opaque() || watch_.transactions() == before || cut_at_ || answer_left_) return;
        const bool may_repeat = is_alone && !watch_.request().empty();
        const fault what = may_repeat ? plan_.at_request(watch_, *known_) : plan_.at_transaction(watch_);
        if (what == fault::none) return;
        report_->broke(what, watch_);
        switch (what) {
        case fault::cut_request:
            f.bytes.resize(plan_.below(f.bytes.size()));
            send(f);
            return cut();
        case fault::cut_answer: answer_left_ = plan_.below(2) * plan_.below(50); break;
        case fault::cut_later: cut_at_ = steady::now() + std::chrono::milliseconds{plan_.below(300)}; break;
        default:
            silent_ = true;
            if (plan_.below(2) == 0) send(f);
        }
    }

    void examine_answer(flow& f) {
        const auto committed = watch_.answered(f.bytes);
        if (answer_left_) {
            if (f.bytes.size() <= *answer_left_) return void(*answer_left_ -= f.bytes.size());
            f.bytes.resize(*answer_left_);
            send(f);
            reset_client();
            return finish_server();
        }
        if (!committed || cut_at_ || plan_.at_commit(watch_) == fault::none) return;
        report_->broke(fault::cut_at_commit, watch_);
        f.bytes.resize(*committed);
        end_behind(f.bytes);
        finish_server();
    }

    // The client gets these bytes and the end of the connection at the same time: as one segment.
    void end_behind(std::string_view bytes) {
        const int yes = 1;
        (void)::setsockopt(client_, IPPROTO_TCP, TCP_CORK, &yes, sizeof yes);
        (void)::send(client_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        ::shutdown(client_, SHUT_WR);
    }

    void reset_client() {
        const ::linger at_once{1, 0};
        (void)::setsockopt(client_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        ::shutdown(client_, SHUT_RD);
        ::close(std::exchange(client_, -1));
    }
    void cut() {
        over_ = true;
        reset_client();
    }
    // The server executes what it has got, and nobody gets its answers.
    void finish_server() {
        over_ = true;
        const auto until = steady::now() + longest_silence;
        while (!watch_.is_answered() && steady::now() < until) {
            ::pollfd fd{server_, POLLIN, 0};
            ::poll(&fd, 1, 100);
            char buffer[65536];
            const auto n = ::recv(server_, buffer, sizeof buffer, MSG_DONTWAIT);
            if (n == 0 || (n < 0 && errno != EAGAIN)) return;
            if (n > 0) (void)watch_.answered({buffer, static_cast<std::size_t>(n)});
        }
    }
    // Until the client has closed its side; then the server has its session for a little longer. Without end it would
    // keep a test that has no time limit of its own.
    void stay_silent() {
        ::pollfd fd{client_, POLLRDHUP, 0};
        (void)::poll(&fd, 1, static_cast<int>(std::chrono::milliseconds{longest_silence}.count()));
        reset_client();
        (void)::poll(nullptr, 0, static_cast<int>(plan_.below(500)));
    }

    static constexpr std::chrono::seconds longest_silence{12};

    int client_, server_;
    fault_plan plan_;
    session_watch watch_;
    known_sessions* known_;
    const fault_report* report_;
    flow up_{client_, server_}, down_{server_, client_};
    std::optional<steady::time_point> cut_at_{};
    std::optional<std::size_t> answer_left_{};  // how much of the answers still passes
    bool silent_ = false, over_ = false;
};

}  // namespace test::faults
