#pragma once

#include <support/samples.hpp>

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

/// What one unit of work costs besides time; what could not be measured is empty.
struct cost {
    std::optional<double> server_us{}, client_us{};  ///< CPU time
    std::optional<double> wal_bytes{}, wal_records{};
    std::optional<double> statements{}, commits{};
};

/// One line of the table: a question, in one case.
struct row {
    std::string question{};
    std::string what{};  ///< the case
    std::string unit = "jobs/s";
    samples ours{};
    samples ceiling{};  ///< the same with nothing of ours, interleaved; empty where there is none
    std::string ceiling_name{};
    cost price{};
    samples latency_ms{};         ///< all of all rounds
    double peak_mb = 0;           ///< of this process
    long long n = 0;              ///< jobs in each round
    std::optional<double> bar{};  ///< what `ratio()` has to reach
    std::string note{};

    std::optional<double> ratio() const {
        if (ours.empty() || ceiling.empty() || ceiling.median() == 0) return std::nullopt;
        return ours.median() / ceiling.median();
    }
};

/// Prints rows as they come, and writes each as a line of JSON. Remembers whether one fell below half of its bar.
class report {
public:
    /// Throws when the file cannot be written.
    explicit report(const std::string& json_file);
    ~report();
    report(const report&) = delete;
    report& operator=(const report&) = delete;

    void add(const row& r);
    /// A line between the rows.
    void say(std::string_view text);
    /// Ratios below half of what they should be; these machines are too noisy to be stricter.
    int failures() const noexcept { return failures_; }

private:
    void head();
    void write_json(const row& r);

    std::FILE* json_ = nullptr;
    bool headed_ = false;
    int failures_ = 0;
};

}  // namespace bench
