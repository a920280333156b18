#pragma once

#include <pgq/health/worker_health.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pgq::detail {

/// A part of a program, at one moment.
struct part_health {
    bool running = false;                   ///< its run() is under way
    bool done = false;                      ///< its run() has ended, and it does not start again
    std::optional<worker_health> worker{};  ///< what it says itself; empty if it says nothing

    bool is_ready() const noexcept { return done || (running && (!worker || worker->is_ready())); }
};

/// Whether a whole program is ready and healthy, from the health of its parts. No clock.
///
/// Ready: all parts are connected now, and the program does not stop. Healthy: it was ready within the last
/// `unhealthy_after`, or it stops; and no handler has been running for longer than `longest_handler`.
class program_health {
public:
    program_health(duration unhealthy_after, duration longest_handler, steady_time now) noexcept
        : unhealthy_after_{unhealthy_after}, longest_handler_{longest_handler}, ready_at_{now}, now_{now} {}

    void observe(std::vector<part_health> parts, bool stopping, steady_time now) noexcept {
        parts_ = std::move(parts);
        stopping_ = stopping;
        now_ = now;
        all_ready_ = std::all_of(parts_.begin(), parts_.end(), [](const part_health& p) { return p.is_ready(); });
        if (all_ready_ || stopping_) ready_at_ = now;
    }

    bool is_ready() const noexcept { return all_ready_ && !stopping_; }
    bool is_stopping() const noexcept { return stopping_; }
    bool is_healthy() const noexcept {
        const bool overdue = std::any_of(parts_.begin(), parts_.end(), [this](const part_health& p) {
            return p.worker && p.worker->oldest_handler && *p.worker->oldest_handler > longest_handler_;
        });
        return !overdue && now_ - ready_at_ <= unhealthy_after_;
    }

    /// One line: "running: 2 of 2 connected".
    std::string status() const {
        if (stopping_) return "stopping";
        const auto ready = std::count_if(parts_.begin(), parts_.end(), [](const auto& p) { return p.is_ready(); });
        const std::string of = std::to_string(ready) + " of " + std::to_string(parts_.size()) + " connected";
        return (all_ready_ ? "running: " : "not ready: ") + of;
    }
    std::string json() const {
        std::string out = "{\"healthy\":";
        out += name(is_healthy());
        out += ",\"ready\":";
        out += name(is_ready());
        out += ",\"stopping\":";
        out += name(stopping_);
        out += ",\"parts\":[";
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            if (i != 0) out += ',';
            append(out, parts_[i]);
        }
        out += "]}";
        return out;
    }

private:
    static const char* name(bool b) noexcept { return b ? "true" : "false"; }
    static void append(std::string& out, const part_health& p) {
        out += "{\"ready\":";
        out += name(p.is_ready());
        out += ",\"running\":";
        out += name(p.running);
        if (p.worker) {
            out += ",\"connected\":";
            out += name(p.worker->connected);
            out += ",\"handlers\":" + std::to_string(p.worker->handlers);
            append(out, "last_heartbeat_ms", p.worker->last_heartbeat);
            append(out, "oldest_handler_ms", p.worker->oldest_handler);
        }
        out += '}';
    }
    static void append(std::string& out, const char* key, const std::optional<duration>& d) {
        if (!d) return;
        out += std::string{",\""} + key +
               "\":" + std::to_string(std::chrono::floor<std::chrono::milliseconds>(*d).count());
    }

    duration unhealthy_after_;
    duration longest_handler_;
    steady_time ready_at_;
    steady_time now_;
    std::vector<part_health> parts_{};
    bool all_ready_ = false;
    bool stopping_ = false;
};

}  // namespace pgq::detail
