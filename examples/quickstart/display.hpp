#pragma once

#include "store.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

#include <unistd.h>

namespace quickstart {

/// Shows the progress: as a bar on a terminal, otherwise as one line per second.
class display {
public:
    using clock = std::chrono::steady_clock;

    /// How often to call show().
    std::chrono::milliseconds interval() const noexcept {
        return tty_ ? std::chrono::milliseconds{100} : std::chrono::milliseconds{1000};
    }

    void show(const store::progress& p, std::size_t workers) {
        const double seconds = std::chrono::duration<double>(clock::now() - start_).count();
        const double rate = seconds > 0 ? static_cast<double>(p.files_done) / seconds : 0;
        char numbers[96];
        if (p.scanned)
            std::snprintf(numbers, sizeof numbers, "%lld of %lld files, %.0f/s, workers: %zu",
                          static_cast<long long>(p.files_done), static_cast<long long>(p.files), rate, workers);
        else std::snprintf(numbers, sizeof numbers, "looking for files, workers: %zu", workers);
        if (tty_) std::printf("\r[%s] %s\x1b[K", bar(p).c_str(), numbers);
        else std::printf("%s\n", numbers);
        std::fflush(stdout);
        drawn_ = tty_;
    }

    /// Keeps the bar and continues on the next line.
    void end_bar() {
        if (drawn_) std::printf("\n");
        drawn_ = false;
        std::fflush(stdout);
    }

    void print(const std::string& line) {
        if (drawn_) std::printf("\r\x1b[K");
        std::printf("%s\n", line.c_str());
        std::fflush(stdout);
        drawn_ = false;
    }

private:
    static std::string bar(const store::progress& p) {
        constexpr std::int64_t width = 30;
        const std::int64_t full = p.files > 0 ? width * p.files_done / p.files : p.scanned ? width : 0;
        return std::string(static_cast<std::size_t>(full), '#') +
               std::string(static_cast<std::size_t>(width - full), '.');
    }

    bool tty_ = isatty(STDOUT_FILENO) == 1;
    bool drawn_ = false;
    clock::time_point start_ = clock::now();
};

}  // namespace quickstart
