#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace pgq::web {

/// An action on all that match, while one thread works and another one reports.
class operation {
public:
    explicit operation(std::int64_t id) : id_{id} {}

    std::int64_t id() const noexcept { return id_; }
    void stop() noexcept { stopped_ = true; }
    bool is_stopped() const noexcept { return stopped_; }

    void progress(std::int64_t done, std::int64_t skipped) noexcept { done_ = done, skipped_ = skipped; }
    void finish(std::string error) {
        const std::lock_guard lock{mutex_};
        error_ = std::move(error);
        finished_ = true;
    }

    struct report {
        std::int64_t done = 0;
        std::int64_t skipped = 0;
        bool finished = false;
        bool stopped = false;
        std::string error{};
    };
    report now() const {
        const std::lock_guard lock{mutex_};
        return {done_, skipped_, finished_, stopped_, error_};
    }

private:
    std::int64_t id_;
    std::atomic<bool> stopped_{false};
    std::atomic<std::int64_t> done_{0};
    std::atomic<std::int64_t> skipped_{0};
    mutable std::mutex mutex_;
    bool finished_ = false;
    std::string error_{};
};

}  // namespace pgq::web
