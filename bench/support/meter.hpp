#pragma once

#include <support/bare.hpp>
#include <support/report.hpp>

#include <optional>
#include <string>

namespace bench {

/// What the server and this process have used up so far.
struct reading {
    std::optional<double> server_cpu_us{};
    double client_cpu_us = 0;
    double wal_bytes = 0, wal_records = 0, commits = 0;
    std::optional<double> statements{};
};

/// Reads counters. Nothing else may use the server meanwhile. Server CPU is read from /proc, so it is there only for a server
/// on this machine, and statements only where pg_stat_statements is loaded.
class meter {
public:
    explicit meter(const std::string& dsn);

    /// Waits for all sessions of ours to have ended: what they have counted is complete only then.
    void settle();
    reading read();
    /// The difference of two readings, for each of `n`.
    static cost each(const reading& a, const reading& b, double n);

    /// The most memory this process had since the last call, in MB.
    static double peak_mb();

private:
    std::optional<double> server_cpu_us() const;

    bare connection_;
    int postmaster_ = 0;
    bool has_statements_ = false;
};

}  // namespace bench
