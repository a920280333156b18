#pragma once

#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/frontend_reader.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <list>
#include <map>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace test {

/// A proxy between clients and the server. It counts statements and round trips, and breaks connections as networks do.
class proxy {
public:
    proxy() : proxy{dsn()} {}
    /// In front of the server of this connection string.
    explicit proxy(const std::string& server) {
        find_server(server);
        open_listener();
        if (listener_ < 0 || ::pipe2(wake_, O_CLOEXEC | O_NONBLOCK) != 0) throw std::runtime_error{"no proxy"};
        thread_ = std::jthread{[this](const std::stop_token& stop) { forward(stop); }};
    }
    proxy(const proxy&) = delete;
    proxy& operator=(const proxy&) = delete;
    ~proxy() {
        thread_.request_stop();
        poke();
        thread_.join();
        for (int fd : {listener_, wake_[0], wake_[1]})
            if (fd >= 0) ::close(fd);
    }

    /// The connection options of `db` through this proxy.
    pgq::driver::connection_options options(const database& db) const {
        auto o = db.options();
        o.conninfo = conninfo(std::move(o.conninfo));
        return o;
    }
    /// A connection string of the server, with the address of this proxy.
    std::string conninfo(std::string server) const {
        for (const auto& [key, value] : std::map<std::string, std::string>{{"host", "127.0.0.1"},
                                                                           {"hostaddr", "127.0.0.1"},
                                                                           {"port", std::to_string(port_)},
                                                                           {"sslmode", "disable"},
                                                                           {"gssencmode", "disable"}})
            server = database::settings_of(server, key, value);
        return server;
    }
    std::string port() const { return std::to_string(port_); }

    /// Closes all open connections.
    void cut() { order(&proxy::cut_all); }
    /// From now on, nothing passes through the open connections, and neither side sees an error. New connections work.
    void freeze() { order(&proxy::freeze_all); }
    /// The same, and new connections are accepted and stay silent, too, until thaw().
    void freeze_host() { order(&proxy::freeze_all_and_new); }
    void thaw() { order(&proxy::thaw_all); }
    /// From now on, whatever is read is forwarded so much later, in both directions.
    void delay(std::chrono::milliseconds time) noexcept { delay_ = time; }
    /// Closes all open connections, and refuses new ones until go_up().
    void go_down() { order(&proxy::close_listener); }
    void go_up() { order(&proxy::open_listener); }
    /// From now on, requests to cancel a statement do not reach the server.
    void drop_cancels() noexcept { drops_cancels_ = true; }
    /// From now on, requests of the open connections reach the server, but its answers are lost. New connections work.
    void mute() { order(&proxy::mute_all); }
    /// Only this many more transactions of all connections together reach the server; later requests do not. The
    /// connection of the first later request is closed when the server has executed its earlier ones, and their answers
    /// are lost.
    void close_after(int transactions) {
        const std::lock_guard lock{mutex_};
        transactions_left_ = transactions;
        was_cut_ = false;
    }
    /// Whether `close_after` has closed a connection. Cancels it otherwise.
    bool was_cut() {
        const std::lock_guard lock{mutex_};
        transactions_left_ = -1;
        return was_cut_;
    }

    /// Only the answers to the requests so far and to this many more transactions, of all connections together, reach
    /// the clients. Then that connection is closed, or stays open and silent. New connections work. A client that reads
    /// the last answer finds the end of the connection behind it.
    void close_after_answers(int transactions) { limit_answers(transactions, true); }
    void silence_after_answers(int transactions) { limit_answers(transactions, false); }
    /// Whether all of these have come.
    bool answers_have_come() const {
        const std::lock_guard lock{mutex_};
        return answers_left_ < 0;
    }

    /// The number of executions of a library statement, by its name in statement/.
    int count(const std::string& statement) const {
        const std::lock_guard lock{mutex_};
        const auto found = seen_.find(statement);
        return found == seen_.end() ? 0 : found->second;
    }
    /// The number of Sync messages: round trips that end a transaction.
    int syncs() const { return count(frontend_reader::sync); }
    int connections() const noexcept { return accepted_; }
    /// Waits until no client has sent anything for this long.
    bool is_quiet_for(std::chrono::milliseconds rest) const {
        int seen = -1;
        return eventually([&] {
            seen = syncs();
            return always(rest, [&] { return syncs() == seen; });
        });
    }

private:
    using steady = std::chrono::steady_clock;

    // Counts the server's "ready for query" messages: one after the start, and one for each request.
    class answer_counter {
    public:
        void read(const std::string& bytes) {
            for (std::size_t at = 0; at < bytes.size();) {
                if (skip_ > 0) {
                    const std::size_t n = std::min(skip_, bytes.size() - at);
                    skip_ -= n, at += n;
                    continue;
                }
                head_ += bytes[at++];
                if (head_.size() < 5) continue;
                for (std::size_t i = 1; i < 5; ++i) skip_ = skip_ << 8 | static_cast<unsigned char>(head_[i]);
                skip_ -= 4;  // the length includes itself
                count_ += head_[0] == 'Z' ? 1 : 0;
                head_.clear();
            }
        }
        int count() const noexcept { return count_; }
        bool is_between_messages() const noexcept { return skip_ == 0 && head_.empty(); }

    private:
        std::string head_{};
        std::size_t skip_ = 0;
        int count_ = 0;
    };

    struct pair {
        int client = -1, server = -1;
        std::string up{}, down{};               // read and not yet forwarded
        steady::time_point up_at{}, down_at{};  // not to be forwarded before
        frontend_reader reader{};
        answer_counter answers{};
        int requests = 0;  // Sync messages and simple queries: the server answers each of them
        bool frozen = false, muted = false, ending = false, leaving = false, over = false;

        // Whether the server has answered everything that reached it.
        bool is_answered() const noexcept { return answers.count() == 0 || answers.count() > requests; }
    };

    void find_server(const std::string& server) {
        const sql_connection c{server, "public"};
        const std::string host = PQhost(c.get());
        const std::string address = PQhostaddr(c.get());
        const std::string port = PQport(c.get());
        if (host.starts_with('/')) {
            sockaddr_un there{};
            there.sun_family = AF_UNIX;
            const std::string path = host + "/.s.PGSQL." + (port.empty() ? "5432" : port);
            std::strncpy(there.sun_path, path.c_str(), sizeof there.sun_path - 1);
            server_.assign(reinterpret_cast<const char*>(&there), sizeof there);
        } else {
            sockaddr_in there{};
            there.sin_family = AF_INET;
            there.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port.empty() ? "5432" : port.c_str())));
            if (::inet_pton(AF_INET, address.c_str(), &there.sin_addr) != 1)
                throw std::runtime_error{"the proxy knows sockets of files and IPv4, not " + address};
            server_.assign(reinterpret_cast<const char*>(&there), sizeof there);
        }
    }

    void poke() const { [[maybe_unused]] const auto n = ::write(wake_[1], "", 1); }
    void order(void (proxy::*what)()) {
        {
            const std::lock_guard lock{mutex_};
            orders_.push_back(what);
        }
        poke();
        (void)eventually([&] {
            const std::lock_guard lock{mutex_};
            return orders_.empty();
        });
    }
    void cut_all() {
        for (auto& p : pairs_) p.over = true;
    }
    void freeze_all() {
        for (auto& p : pairs_) p.frozen = true;
    }
    void freeze_all_and_new() {
        new_is_frozen_ = true;
        freeze_all();
    }
    void thaw_all() {
        new_is_frozen_ = false;
        for (auto& p : pairs_) p.frozen = false;
    }
    void close_listener() {
        cut_all();
        ::close(listener_);
        listener_ = -1;
    }
    // On the port that it had before, if it had one.
    void open_listener() {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int yes = 1;
        (void)::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        sockaddr_in here{};
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        here.sin_port = htons(port_);
        socklen_t size = sizeof here;
        if (::bind(listener_, reinterpret_cast<sockaddr*>(&here), size) != 0 || ::listen(listener_, 64) != 0 ||
            ::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size) != 0) {
            ::close(listener_);
            listener_ = -1;
            return;
        }
        port_ = ntohs(here.sin_port);
    }
    void mute_all() {
        for (auto& p : pairs_) p.muted = true;
    }

    void forward(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            // An order counts what the clients sent before it was given: it is obeyed behind a poll that began later.
            const std::size_t due = orders_given();
            std::vector<pollfd> fds{{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
            const auto now = steady::now();
            bool delays = false;
            for (const auto& p : pairs_) {
                if (p.frozen) continue;
                const bool up = !p.up.empty() && p.up_at <= now, down = !p.down.empty() && p.down_at <= now;
                delays = delays || (!p.up.empty() && !up) || (!p.down.empty() && !down);
                fds.push_back({p.client, interest(p.up, down), 0});
                fds.push_back({p.server, interest(p.down, up), 0});
            }
            ::poll(fds.data(), fds.size(), due > 0 ? 0 : delays ? 1 : -1);
            char sink[64];
            while (::read(wake_[0], sink, sizeof sink) > 0) {}
            std::size_t at = 2;
            for (auto& p : pairs_) {
                if (p.frozen) continue;
                move(p, p.client, p.server, p.up, p.up_at, fds[at].revents, fds[at + 1].revents, true);
                move(p, p.server, p.client, p.down, p.down_at, fds[at + 1].revents, fds[at].revents, false);
                at += 2;
            }
            if (fds[1].revents != 0) accept_one();
            obey(due);
        }
        cut_all();
        close_finished();
    }

    static short interest(const std::string& from_here, bool to_here) {
        return static_cast<short>((from_here.empty() ? POLLIN : 0) | (to_here ? POLLOUT : 0));
    }

    void move(pair& p, int from, int to, std::string& held, steady::time_point& at, short can_read, short can_write,
              bool is_up) {
        if (held.empty() && (can_read & (POLLIN | POLLHUP | POLLERR)) != 0) {
            char buffer[65536];
            const auto n = ::recv(from, buffer, sizeof buffer, MSG_DONTWAIT);
            if (n > 0) {
                held.assign(buffer, static_cast<std::size_t>(n));
                if (is_up && drops_cancels_ && is_cancel(held)) p.over = true, held.clear();
                if (is_up) note(p, held);
                else note_answers(p, held);
                if (const std::chrono::milliseconds later = delay_; later.count() > 0) {
                    at = steady::now() + later;
                    return;
                }
            } else if (n == 0 || errno != EAGAIN) {
                p.over = true;
            }
            can_write = POLLOUT;
        }
        if (held.empty() || can_write == 0) return;
        const bool ends = !is_up && p.leaving;
        if (ends) cork(to);
        const auto n = ::send(to, held.data(), held.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) held.erase(0, static_cast<std::size_t>(n));
        else if (errno != EAGAIN) p.over = true;
        if (ends && held.empty()) ::shutdown(to, SHUT_WR);
    }
    // The client gets the last bytes and the end of the connection at the same time: as one segment.
    static void cork(int client) {
        const int yes = 1;
        (void)::setsockopt(client, IPPROTO_TCP, TCP_CORK, &yes, sizeof yes);
    }

    static bool is_cancel(const std::string& bytes) {
        return bytes.size() == 16 && bytes.compare(0, 8, std::string{"\0\0\0\x10\x04\xd2\x16\x2e", 8}) == 0;
    }
    // Removes from `bytes` what must not pass.
    void note(pair& p, std::string& bytes) {
        const std::lock_guard lock{mutex_};
        const auto on_message = [&](const std::string& what) {
            ++seen_[what];
            const bool is_sync = what == frontend_reader::sync;
            if (is_sync || what == frontend_reader::simple_query) ++p.requests;
            if (is_sync && transactions_left_ > 0) --transactions_left_;
        };
        if (p.ending) return bytes.clear();
        if (transactions_left_ < 0) return p.reader.read(bytes, on_message);
        std::size_t passed = 0;
        for (; passed < bytes.size() && transactions_left_ != 0; ++passed)
            p.reader.read(bytes.substr(passed, 1), on_message);
        if (passed == bytes.size()) return;
        bytes.resize(passed);
        p.ending = was_cut_ = true;
        transactions_left_ = -1;
    }

    void limit_answers(int transactions, bool then_close) {
        {
            const std::lock_guard lock{mutex_};
            answers_wanted_ = transactions;
            closes_then_ = then_close;
        }
        order(&proxy::start_to_limit);
    }
    void start_to_limit() {
        answers_left_ = answers_wanted_;
        for (const auto& p : pairs_) answers_left_ += p.requests + 1 - p.answers.count();
    }
    void note_answers(pair& p, std::string& bytes) {
        const std::lock_guard lock{mutex_};
        std::size_t passed = 0;
        if (answers_left_ >= 0 && !p.muted && !p.ending && !p.leaving) {
            const auto is_enough = [&] { return answers_left_ == 0 && p.answers.is_between_messages(); };
            for (; passed < bytes.size() && !is_enough(); ++passed) {
                const int before = p.answers.count();
                p.answers.read(bytes.substr(passed, 1));
                if (p.answers.count() > before && before > 0) --answers_left_;  // the first one is that of the start
            }
            if (!is_enough()) return;
            answers_left_ = -1;
            (closes_then_ ? p.leaving : p.muted) = true;
            p.answers.read(bytes.substr(passed));
            return bytes.resize(passed);
        }
        p.answers.read(bytes);
        if (p.muted || p.ending || p.leaving) bytes.clear();
    }

    void accept_one() {
        pair p;
        p.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (p.client < 0) return;
        const auto* there = reinterpret_cast<const sockaddr*>(server_.data());
        p.server = ::socket(there->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        p.over = ::connect(p.server, there, static_cast<socklen_t>(server_.size())) != 0;
        p.frozen = new_is_frozen_;
        pairs_.push_back(std::move(p));
        ++accepted_;
    }
    std::size_t orders_given() const {
        const std::lock_guard lock{mutex_};
        return orders_.size();
    }
    void obey(std::size_t due) {
        const std::lock_guard lock{mutex_};
        const auto end = orders_.begin() + static_cast<std::ptrdiff_t>(due);
        for (auto it = orders_.begin(); it != end; ++it) (this->**it)();
        close_finished();
        orders_.erase(orders_.begin(), end);
    }
    void close_finished() {
        for (auto it = pairs_.begin(); it != pairs_.end();) {
            const bool done = (it->ending && it->up.empty() && it->is_answered()) || (it->leaving && it->down.empty());
            if (!it->over && !done) {
                ++it;
                continue;
            }
            ::close(it->client);
            ::close(it->server);
            it = pairs_.erase(it);
        }
    }

    std::string server_;  // the address of the server
    int listener_ = -1;
    int wake_[2]{-1, -1};
    std::uint16_t port_ = 0;
    std::atomic<int> accepted_{0};
    std::atomic<bool> drops_cancels_{false};
    std::atomic<std::chrono::milliseconds> delay_{std::chrono::milliseconds{0}};
    std::list<pair> pairs_;
    bool new_is_frozen_ = false;
    mutable std::mutex mutex_;  // guards the members below
    std::map<std::string, int> seen_;
    int transactions_left_ = -1;                  // below zero: no limit
    int answers_left_ = -1, answers_wanted_ = 0;  // the same
    bool closes_then_ = false;
    bool was_cut_ = false;
    std::vector<void (proxy::*)()> orders_;
    std::jthread thread_;
};

}  // namespace test
