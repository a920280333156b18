#pragma once

#include <support/bare.hpp>
#include <support/report.hpp>

#include <optional>
#include <string>

namespace bench {

/// What the server and this process have used so far.
struct reading {
    std::optional<double> server_cpu_us{};
    double client_cpu_us = 0;
    double wal_bytes = 0, wal_records = 0, commits = 0;
    std::optional<double> statements{};
};

/// Reads the counters of the server and of this process. No other program may use the server meanwhile. The CPU time of
/// the server comes from /proc, so it needs a server on this machine. `statements` needs pg_stat_statements.
class meter {
public:
    explicit meter(const std::string& dsn);

    /// Waits until all sessions of pgq have ended: their counters are complete only then.
    void wait_for_sessions();
    reading read();
    /// The difference of two readings, divided by n.
    static cost each(const reading& a, const reading& b, double n);

    /// The peak memory of this process since the last call, in MB.
    static double peak_mb();

private:
    std::optional<double> server_cpu_us() const;

    bare connection_;
    int postmaster_ = 0;
    bool has_statements_ = false;
};

}  // namespace bench
