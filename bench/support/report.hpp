#pragma once

#include <support/samples.hpp>

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

/// What one job costs besides time. A value that could not be measured is empty.
struct cost {
    std::optional<double> server_us{}, client_us{};  ///< CPU time
    std::optional<double> wal_bytes{}, wal_records{};
    std::optional<double> statements{}, commits{};
};

/// One line of the table: one case of a question.
struct row {
    std::string question{};
    std::string what{};  ///< the case
    std::string unit = "jobs/s";
    samples ours{};
    samples ceiling{};  ///< measured in turn with ours; empty if the question has no ceiling
    std::string ceiling_name{};
    cost price{};
    samples latency_ms{};         ///< the samples of all rounds
    double peak_mb = 0;           ///< of this process
    long long n = 0;              ///< jobs in each round
    std::optional<double> bar{};  ///< the goal of `ratio()`
    std::string note{};

    std::optional<double> ratio() const {
        if (ours.empty() || ceiling.empty() || ceiling.median() == 0) return std::nullopt;
        return ours.median() / ceiling.median();
    }
};

/// Prints each row, and writes it as a line of JSON. Counts the rows whose ratio is below half of its bar.
class report {
public:
    /// Throws if the file cannot be opened.
    explicit report(const std::string& json_file);
    ~report();
    report(const report&) = delete;
    report& operator=(const report&) = delete;

    void add(const row& r);
    /// Rows whose ratio is below half of its bar. A stricter test would fail by the noise of shared machines.
    int failures() const noexcept { return failures_; }

private:
    void head();
    void write_json(const row& r);

    std::FILE* json_ = nullptr;
    bool headed_ = false;
    int failures_ = 0;
};

}  // namespace bench
