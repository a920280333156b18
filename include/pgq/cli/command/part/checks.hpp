#pragma once

#include <pgq/cli/output/table.hpp>

#include <pgq/time/clock.hpp>
#include <pgq/time/duration_words.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace pgq::cli::command {

enum class state : std::uint8_t { ok, warning, failed };

/// "1 worker", "3 workers"
inline std::string counted(std::int64_t n, const std::string& noun) {
    return std::to_string(n) + ' ' + noun + (n == 1 ? "" : "s");
}

/// What was checked and found.
class checks {
public:
    void add(const std::string& check, state s, const std::string& found) {
        failed_ = failed_ || s == state::failed;
        all_.add({check, std::string{s == state::ok ? "ok" : s == state::warning ? "warning" : "failed"}, found});
    }
    /// An age in seconds; above `most` it is `otherwise`.
    void add_age(const std::string& check, double seconds, duration most, state otherwise, const std::string& is) {
        const auto age = std::chrono::duration_cast<duration>(std::chrono::duration<double>{seconds});
        add(check, age <= most ? state::ok : otherwise, detail::duration_in_words(age) + ' ' + is);
    }

    const table& all() const noexcept { return all_; }
    bool has_failed() const noexcept { return failed_; }

private:
    table all_{{{"check"}, {"state"}, {"found"}}};
    bool failed_ = false;
};

}  // namespace pgq::cli::command
