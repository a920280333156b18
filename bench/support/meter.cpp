#include <support/meter.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace bench {

namespace {

struct process {
    int parent = 0;
    double own_us = 0;       // CPU time of the process itself
    double children_us = 0;  // CPU time of its children that have ended
};

std::optional<process> read_process(int pid) {
    std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    // The name, in parentheses, may contain spaces and parentheses.
    std::istringstream rest{line.substr(line.rfind(')') + 2)};
    std::string state;
    process p;
    double skip = 0, utime = 0, stime = 0, cutime = 0, cstime = 0;
    rest >> state >> p.parent;
    for (int i = 0; i < 9; ++i) rest >> skip;
    rest >> utime >> stime >> cutime >> cstime;
    const double tick_us = 1e6 / static_cast<double>(::sysconf(_SC_CLK_TCK));
    p.own_us = (utime + stime) * tick_us;
    p.children_us = (cutime + cstime) * tick_us;
    return p;
}

double own_cpu_us() {
    double us = 0;
    for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        rusage u{};
        ::getrusage(who, &u);
        us += static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
              static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
    }
    return us;
}

}  // namespace

meter::meter(const std::string& dsn) : connection_{dsn} {
    has_statements_ = connection_.number(
                          "SELECT count(*) FROM pg_settings WHERE name = 'shared_preload_libraries' AND setting ~ "
                          "'pg_stat_statements'") > 0;
    if (has_statements_) connection_.run("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
    const auto backend = read_process(PQbackendPID(connection_.get()));
    if (!backend) return;
    std::ifstream name{"/proc/" + std::to_string(backend->parent) + "/comm"};
    std::string comm;
    if (std::getline(name, comm) && comm.starts_with("postgres")) postmaster_ = backend->parent;
}

std::optional<double> meter::server_cpu_us() const {
    if (postmaster_ == 0) return std::nullopt;
    double us = 0;
    if (const auto p = read_process(postmaster_)) us += p->own_us + p->children_us;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
        const std::string name = entry.path().filename();
        int pid = 0;
        if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr != name.data() + name.size()) continue;
        const auto p = read_process(pid);
        if (p && p->parent == postmaster_) us += p->own_us;
    }
    return us;
}

void meter::wait_for_sessions() {
    for (int tries = 0;
         connection_.number("SELECT count(*) FROM pg_stat_activity WHERE application_name IN ('pgq', 'pgq_bench')"
                            " AND pid <> pg_backend_pid() AND datname = current_database()") > 0;
         ++tries) {
        if (tries == 10'000)
            throw std::runtime_error{"sessions of pgq do not end: does another program use the database?"};
        connection_.run("SELECT pg_sleep(0.001)");
    }
}

reading meter::read() {
    connection_.run("SELECT pg_stat_force_next_flush()");
    reading r;
    r.wal_bytes = connection_.number("SELECT wal_bytes FROM pg_stat_wal");
    r.wal_records = connection_.number("SELECT wal_records FROM pg_stat_wal");
    r.commits = connection_.number("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()");
    if (has_statements_) r.statements = connection_.number("SELECT coalesce(sum(calls), 0) FROM pg_stat_statements");
    r.server_cpu_us = server_cpu_us();
    r.client_cpu_us = own_cpu_us();
    return r;
}

cost meter::each(const reading& a, const reading& b, double n) {
    cost c;
    if (a.server_cpu_us && b.server_cpu_us) c.server_us = (*b.server_cpu_us - *a.server_cpu_us) / n;
    c.client_us = (b.client_cpu_us - a.client_cpu_us) / n;
    c.wal_bytes = (b.wal_bytes - a.wal_bytes) / n;
    c.wal_records = (b.wal_records - a.wal_records) / n;
    c.commits = (b.commits - a.commits) / n;
    if (a.statements && b.statements) c.statements = (*b.statements - *a.statements) / n;
    return c;
}

double meter::peak_mb() {
    double kb = 0;
    std::ifstream status{"/proc/self/status"};
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:")) kb = std::strtod(line.c_str() + 6, nullptr);
    std::ofstream{"/proc/self/clear_refs"} << "5";  // resets the peak
    return kb / 1024;
}

}  // namespace bench
