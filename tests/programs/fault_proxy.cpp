// A proxy between the library and the server whose connections are slow, are cut and go silent at random; see
// tests/faults.sh: fault_proxy SOCKET SEED LOG
//
//   SOCKET   the socket of the server, a file
//   SEED     of the faults, a number
//   LOG      a file that gets a line for each connection that it broke
//
// It prints its port, and when it gets SIGTERM how many faults there were.

#include <support/child_program.hpp>
#include <support/faults/faulty_connection.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace {

using namespace test::faults;

/// Counts the faults, and writes them to a file.
class fault_log {
public:
    explicit fault_log(const char* file) : file_{std::fopen(file, "w")} {}

    void delayed() {
        const std::lock_guard lock{mutex_};
        ++counts_["delays"];
    }
    void broke(fault what, const session_watch& session) {
        const std::string name = std::string{name_of(session.kind())} + ": " + std::string{name_of(what)};
        const std::lock_guard lock{mutex_};
        ++counts_[name];
        if (file_ == nullptr) return;
        const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
        std::fprintf(file_, "%.3f %s, transaction %d,%s\n", now.count(), (session.application() + ' ' + name).c_str(),
                     session.transactions(), session.last_transaction().c_str());
        std::fflush(file_);
    }
    void print() {
        const std::lock_guard lock{mutex_};
        for (const auto& [name, n] : counts_) std::printf("%s: %d\n", name.c_str(), n);
    }

private:
    std::mutex mutex_;
    std::map<std::string, int> counts_;
    std::FILE* file_;
};

int listen_somewhere() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    if (::bind(fd, reinterpret_cast<sockaddr*>(&here), size) != 0 || ::listen(fd, 256) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&here), &size) != 0)
        std::exit(1);
    std::printf("%d\n", ntohs(here.sin_port));
    std::fflush(stdout);
    return fd;
}

int connect_to(const std::string& path) {
    sockaddr_un there{};
    there.sun_family = AF_UNIX;
    std::strncpy(there.sun_path, path.c_str(), sizeof there.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0) return fd;
    ::close(fd);
    return -1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    const sigset_t ends = test::begin_child_program();
    const std::string server = argv[1];
    const std::uint64_t seed = std::strtoull(argv[2], nullptr, 10);
    // They live as long as the threads of the connections: until the process ends.
    static fault_log log{argv[3]};
    static known_sessions known;
    static const fault_report report{[] { log.delayed(); },
                                     [](fault what, const session_watch& s) { log.broke(what, s); }};

    std::thread{[listener = listen_somewhere(), server, seed] {
        for (std::uint64_t number = 1;; ++number) {
            const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
            if (client < 0) continue;
            const int there = connect_to(server);
            if (there < 0) {
                ::close(client);
                continue;
            }
            std::thread{[client, there, seed, number] {
                faulty_connection{client, there, fault_plan{seed, number}, known, report}.forward();
            }}.detach();
        }
    }}.detach();
    int signal_number = 0;
    sigwait(&ends, &signal_number);
    log.print();
    std::fflush(stdout);
    std::_Exit(0);
}
