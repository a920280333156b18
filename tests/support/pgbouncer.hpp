#pragma once

#include <pgq/driver/pq/connection/host_list.hpp>

#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/process.hpp>

#include <libpq-fe.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace test {

/// A PgBouncer in front of a server, on a socket in a directory of its own. The destructor stops it.
class pgbouncer {
public:
    /// `settings`: more lines for its file. `conninfo`: of the server.
    explicit pgbouncer(std::string_view pool_mode, std::string_view settings = {},
                       const std::string& conninfo = dsn()) {
        char name[] = "/tmp/pgq_pooler.XXXXXX";
        if (::mkdtemp(name) == nullptr) throw std::runtime_error{"no directory for PgBouncer"};
        directory_ = name;
        const sql_connection server{conninfo, ""};
        const auto value = [&](const char* keyword) { return pgq::driver::pq::conninfo_value(server.get(), keyword); };
        // It runs as the owner of the server's socket, because others cannot reach that. It refuses to run as root.
        std::string owner = "nobody";
        const std::string host = PQhost(server.get());
        struct ::stat of_socket {};
        if (host.starts_with('/') && ::stat(host.c_str(), &of_socket) == 0)
            if (const auto* user = ::getpwuid(of_socket.st_uid)) owner = user->pw_name;
        if (const auto* user = ::getpwnam(owner.c_str()); user != nullptr && ::geteuid() == 0)
            if (::chown(name, user->pw_uid, user->pw_gid) != 0)
                throw std::runtime_error{"cannot give a directory away"};

        std::ofstream file{directory_ + "/ini"};
        file << "[databases]\n* = host=" << host << " port=" << PQport(server.get())
             << " user=" << PQuser(server.get());
        if (const auto password = value("password"); !password.empty()) file << " password='" << password << "'";
        file << "\n[pgbouncer]\nlisten_port = 6432\nunix_socket_dir = " << directory_ << "\nauth_type = any\n"
             << "logfile = " << directory_ << "/log\npool_mode = " << pool_mode
             << "\nmax_client_conn = 500\nignore_startup_parameters = extra_float_digits\n"
             << settings << "\n";
        file.close();
        std::filesystem::permissions(directory_ + "/ini", std::filesystem::perms::others_read,
                                     std::filesystem::perm_options::add);
        std::vector<std::string> arguments{program(), "-q", directory_ + "/ini"};
        if (::geteuid() == 0) arguments.insert(arguments.begin() + 1, {"-u", owner});
        running_.emplace(std::move(arguments));
        const std::string here = "dbname=postgres host=" + directory_ + " port=6432";
        if (!eventually([&] { return PQping(here.c_str()) == PQPING_OK || running_->exited(); }) || running_->exited())
            throw std::runtime_error{"PgBouncer did not start, see " + directory_ + "/log"};
    }
    pgbouncer(const pgbouncer&) = delete;
    pgbouncer& operator=(const pgbouncer&) = delete;
    ~pgbouncer() {
        running_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }

    /// Where it is not installed, its tests are left out.
    static bool is_installed() {
        if (!program().empty()) return true;
        std::puts("left out: a test of PgBouncer, because it is not installed");
        return false;
    }

    /// These options, by way of the pooler.
    pgq::driver::connection_options options(pgq::driver::connection_options o) const {
        o.conninfo = database::settings_of(o.conninfo, "host", directory_);
        o.conninfo = database::settings_of(o.conninfo, "port", "6432");
        return o;
    }
    pgq::driver::connection_options options(const database& db) const { return options(db.options()); }

private:
    static std::string program() {
        for (const char* path : {"/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"})
            if (::access(path, X_OK) == 0) return path;
        return {};
    }

    std::string directory_;
    std::optional<process> running_{};
};

}  // namespace test
