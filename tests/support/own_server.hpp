#pragma once

#include <support/eventually.hpp>

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace test {

/// A PostgreSQL server of the test's own, on a free TCP port: a test may kill it. The destructor stops it and removes
/// its files. As root, the server runs as the user `postgres`.
class own_server {
public:
    /// `settings`: more lines of postgresql.conf.
    explicit own_server(const std::string& settings = {})
        : own_server{"initdb -N -U pgq -A trust -E UTF8 --no-locale -D ", settings} {}
    /// A streaming standby. The primary has this connection string, and knows the standby by the name.
    own_server(const std::string& primary, const std::string& name, const std::string& settings)
        : own_server{"pg_basebackup -R -c fast -d \"" + primary + " application_name=" + name + "\" -D ", settings} {}
    own_server(const own_server&) = delete;
    own_server& operator=(const own_server&) = delete;
    ~own_server() {
        kill();
        (void)std::system(("rm -rf " + directory_).c_str());
    }

    std::string conninfo() const { return "host=127.0.0.1 port=" + port() + " user=pgq dbname=postgres"; }
    std::string port() const { return std::to_string(port_); }

    void start() const { control("-w -t 60 start"); }
    /// All sessions end, and the server recovers from its WAL.
    void restart_immediately() const {
        control("-m immediate -w -t 60 stop");
        start();
    }
    /// The standby becomes a primary. Returns when it accepts writes.
    void promote() const { control("-w -t 60 promote"); }
    /// All processes of the server get SIGKILL, as when the machine loses power.
    void kill() const {
        const auto all = processes();
        signal(all, SIGKILL);
        (void)eventually([&] { return all.empty() || ::kill(all.front(), 0) != 0; });
        ::unlink((directory_ + "/data/postmaster.pid").c_str());
    }
    /// All processes of the server stop in the middle of what they do. The kernel still accepts connections.
    void freeze() const { signal(processes(), SIGSTOP); }
    void thaw() const { signal(processes(), SIGCONT); }
    /// From now on the server accepts TLS. It restarts for that. False if there is no program that makes a certificate.
    bool accept_tls() const {
        if (std::system("command -v openssl >/dev/null") != 0) return false;
        const std::string to = directory_ + "/data/server.";
        run_or_throw(as_owner("openssl req -x509 -nodes -subj /CN=localhost -keyout " + to + "key -out " + to + "crt"));
        std::ofstream{directory_ + "/data/postgresql.conf", std::ios::app} << "ssl = on\n";
        control("-m fast -w -t 60 restart");
        return true;
    }
    /// Adds lines to postgresql.conf, and lets the running server read them.
    void set(const std::string& settings) const {
        std::ofstream{directory_ + "/data/postgresql.conf", std::ios::app} << settings;
        control("reload");
    }

private:
    own_server(const std::string& make_data_in, const std::string& settings) : port_{free_port()} {
        char name[] = "/tmp/pgq_own.XXXXXX";
        if (::mkdtemp(name) == nullptr) throw std::runtime_error{"no directory for a server"};
        directory_ = name;
        if (::geteuid() == 0) run_or_throw("chown postgres " + directory_);
        run_or_throw(as_owner(make_data_in + directory_ + "/data"));
        std::ofstream{directory_ + "/data/postgresql.conf", std::ios::app}
            << "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nport = " << port_
            << "\nmax_connections = 200\nshared_buffers = 64MB\nmax_wal_size = 2GB\nhot_standby = on\n"
            << settings;
        start();
    }

    static std::uint16_t free_port() {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in here{};
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof here;
        const bool found = ::bind(fd, reinterpret_cast<sockaddr*>(&here), size) == 0 &&
                           ::getsockname(fd, reinterpret_cast<sockaddr*>(&here), &size) == 0;
        ::close(fd);
        if (!found) throw std::runtime_error{"no free port"};
        return ntohs(here.sin_port);
    }

    // The programs of the newest installed server, or those of the PATH. The output is in `log`.
    std::string as_owner(const std::string& command) const {
        const std::string path =
            "PATH=\"$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1):$PATH\"; ";
        const std::string switch_user = ::geteuid() == 0 ? "runuser -u postgres -- " : "";
        return "cd " + directory_ + "; " + path + switch_user + "env PATH=\"$PATH\" " + command + " >>" + directory_ +
               "/log 2>&1 </dev/null";
    }
    void control(const std::string& what) const {
        run_or_throw(as_owner("pg_ctl -D " + directory_ + "/data -l " + directory_ + "/data/log " + what));
    }
    void run_or_throw(const std::string& command) const {
        if (std::system(command.c_str()) == 0) return;
        std::stringstream log;
        log << std::ifstream{directory_ + "/log"}.rdbuf() << std::ifstream{directory_ + "/data/log"}.rdbuf();
        throw std::runtime_error{command + ": " + log.str()};
    }

    // The postmaster, and its children behind it.
    std::vector<pid_t> processes() const {
        std::vector<pid_t> all;
        pid_t postmaster = 0;
        if (!(std::ifstream{directory_ + "/data/postmaster.pid"} >> postmaster) || postmaster <= 1) return all;
        all.push_back(postmaster);
        DIR* const proc = ::opendir("/proc");
        for (const dirent* e = proc == nullptr ? nullptr : ::readdir(proc); e != nullptr; e = ::readdir(proc)) {
            std::string line, name, state;
            pid_t parent = 0;
            std::getline(std::ifstream{"/proc/" + std::string{e->d_name} + "/stat"}, line, '\0');
            std::istringstream fields{line.substr(line.rfind(')') == std::string::npos ? 0 : line.rfind(')') + 1)};
            if (fields >> state >> parent && parent == postmaster)
                all.push_back(static_cast<pid_t>(std::atoi(e->d_name)));
        }
        if (proc != nullptr) ::closedir(proc);
        return all;
    }
    static void signal(const std::vector<pid_t>& all, int number) {
        for (const auto pid : all) ::kill(pid, number);
    }

    std::string directory_;
    std::uint16_t port_;
};

}  // namespace test
