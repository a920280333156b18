#pragma once

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace pgq::detail {

/// How often systemd is told that the program is healthy: half of WATCHDOG_USEC. Empty without a watchdog: the variable
/// is missing or no number, or WATCHDOG_PID names another process. Both are texts of the environment, or null.
inline std::optional<duration> watchdog_interval(const char* usec, const char* pid, std::int64_t own_pid) noexcept {
    const auto number = [](std::string_view text) -> std::optional<std::int64_t> {
        std::int64_t n = 0;
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
        if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
        return n;
    };
    if (usec == nullptr) return std::nullopt;
    if (pid != nullptr && number(pid) != own_pid) return std::nullopt;
    const auto n = number(usec);
    if (!n || *n <= 0 || *n > std::chrono::floor<std::chrono::microseconds>(duration::max()).count())
        return std::nullopt;
    return std::max<duration>(std::chrono::microseconds{*n} / 2, std::chrono::milliseconds{1});
}

/// What systemd should know about the program.
struct service_state {
    bool ready = false;
    bool healthy = false;
    bool stopping = false;
    std::string status{};  ///< one line
};

/// Which messages a program sends to its service manager (sd_notify(3)), and when. No socket, no clock.
///
///     READY=1      once, when the program is ready for the first time
///     STATUS=...   with READY=1 and STOPPING=1, and when it changes
///     WATCHDOG=1   after READY=1, each `watchdog`, while the program is healthy
///     STOPPING=1   once, when the program stops
class service_notifier {
public:
    explicit service_notifier(std::optional<duration> watchdog) noexcept : watchdog_{watchdog} {}

    /// The message to send now; empty if there is none. It stays due until sent().
    std::string due(const service_state& s, steady_time now) const {
        std::string out;
        if (is_first_ready(s)) out += "READY=1\n";
        if (s.stopping && !stopping_) out += "STOPPING=1\n";
        if (s.status != status_) out += "STATUS=" + one_line(s.status) + "\n";
        if (feeds_watchdog(s, now)) out += "WATCHDOG=1\n";
        if (!out.empty()) out.pop_back();
        return out;
    }
    /// The message of due() with the same arguments was sent.
    void sent(const service_state& s, steady_time now) {
        if (feeds_watchdog(s, now)) fed_at_ = now;
        ready_ = ready_ || is_first_ready(s);
        stopping_ = stopping_ || s.stopping;
        status_ = s.status;
    }
    /// When the watchdog is due next.
    steady_time next_at() const noexcept {
        if (!watchdog_ || !ready_) return steady_time::max();
        return fed_at_ ? *fed_at_ + *watchdog_ : steady_time::min();
    }

private:
    bool is_first_ready(const service_state& s) const noexcept { return s.ready && !ready_; }
    bool feeds_watchdog(const service_state& s, steady_time now) const noexcept {
        return watchdog_ && s.healthy && (ready_ || s.ready) && (!fed_at_ || now - *fed_at_ >= *watchdog_);
    }
    // A line end in the text would begin another assignment.
    static std::string one_line(std::string text) {
        std::replace_if(
            text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\0'; }, ' ');
        return text;
    }

    std::optional<duration> watchdog_;
    bool ready_ = false;
    bool stopping_ = false;
    std::string status_{};
    std::optional<steady_time> fed_at_{};
};

}  // namespace pgq::detail
