#pragma once

#include <pgq/driver/pq/connection/self_pipe.hpp>
#include <pgq/error/result.hpp>
#include <pgq/run/health_port.hpp>
#include <pgq/run/notify_socket.hpp>
#include <pgq/run/part.hpp>
#include <pgq/run/program_health.hpp>
#include <pgq/run/run_options.hpp>
#include <pgq/run/run_result.hpp>
#include <pgq/run/runnable_ref.hpp>
#include <pgq/run/service_notifier.hpp>
#include <pgq/run/signal_pipe.hpp>
#include <pgq/run/supervision.hpp>
#include <pgq/time/clock.hpp>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace pgq::detail {

/// One call of pgq::run. It waits in poll() for signals, for the ends of the parts, and for clients of the health port,
/// and does what `supervision` decides.
class supervisor {
    using clock = std::chrono::steady_clock;

public:
    supervisor(const run_options& options, std::span<const runnable_ref> parts)
        : options_{&options},
          machine_{parts.size(), options.restart_backoff},
          health_{options.unhealthy_after, options.longest_handler, clock::now()},
          service_{variable("NOTIFY_SOCKET")},
          notifier_{watchdog_interval(variable("WATCHDOG_USEC"), variable("WATCHDOG_PID"), ::getpid())} {
        for (const auto& p : parts) parts_.emplace_back(p, changed_);
    }

    result<void> run() {
        if (auto ready = begin(); !ready) return ready;
        const std::stop_callback on_stop{options_->stop, [this] { changed_.signal(); }};
        for (;;) {
            receive();
            const auto now = clock::now();
            const auto a = machine_.next(now);
            switch (a.what) {
            case supervision_do::start: parts_[a.part].start(stop_.get_token()); break;
            case supervision_do::stop:
                look(clock::now());  // systemd is notified before the parts stop
                stop_.request_stop();
                break;
            case supervision_do::end_now: end_now();
            case supervision_do::finish: return finish();
            case supervision_do::wait: wait(a.until); break;
            }
        }
    }

private:
    // NOLINTNEXTLINE(concurrency-mt-unsafe): it is read before run() starts a thread
    static const char* variable(const char* name) noexcept { return std::getenv(name); }

    result<void> begin() {
        if (options_->health_port != 0) {
            auto opened = health_port::open(options_->health_address, options_->health_port);
            if (!opened) return opened.error();
            port_ = std::move(*opened);
        }
        return options_->handle_signals ? signals_.open() : result<void>{};
    }
    result<void> finish() {
        look(clock::now());
        machine_.stop_requested();
        look(clock::now());
        return machine_.outcome();
    }
    // Nothing of the program is destroyed. What runs elsewhere, such as a child process, ends as after a crash.
    [[noreturn]] void end_now() {
        log("a second signal: ends at once");
        ::_exit(run_result::ended_by_signal + last_signal_);
    }

    // Turns what other threads and the system report into events.
    void receive() {
        (void)changed_.drain();
        if (options_->stop.stop_requested()) machine_.stop_requested();
        while (const int number = signals_.take()) {
            last_signal_ = number;
            if (number != SIGHUP) machine_.signalled();
            else if (options_->on_hangup) options_->on_hangup();
        }
        for (std::size_t i = 0; i < parts_.size(); ++i)
            if (auto how = parts_[i].take_end()) ended(i, *how);
    }
    void ended(std::size_t i, const result<void>& how) {
        const auto pause = machine_.ended(i, how, clock::now());
        if (how) return;
        const std::string what = "part " + std::to_string(i + 1) + " failed: " + how.error().text();
        if (!pause) return log(what);
        const auto ms = std::chrono::ceil<std::chrono::milliseconds>(*pause).count();
        log(what + "; it starts again in " + std::to_string(ms) + " ms");
    }

    void wait(steady_time until) {
        auto now = clock::now();
        look(now);
        until = std::min<steady_time>(until, now + look_every());
        if (const auto at = notifier_.next_at(); at > now) until = std::min(until, at);  // else it cannot be sent now
        watched_.clear();
        watched_.push_back({changed_.descriptor(), POLLIN, 0});
        watched_.push_back({signals_.fd(), POLLIN, 0});  // poll() ignores -1
        if (port_) {
            port_->watch(watched_, now);
            until = std::min(until, port_->next_at());
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::max(until, now) - now).count();
        (void)::poll(watched_.data(), watched_.size(), static_cast<int>(std::clamp<decltype(left)>(left, 0, 1000)));
        now = clock::now();
        if (!port_) return;
        look(now);
        port_->serve(
            [this](health_request what) {
                return health_response(what, health_.is_healthy(), health_.is_ready(), health_.json());
            },
            now);
    }
    // The health of a part has no event: it changes with time.
    duration look_every() const noexcept {
        return health_.is_ready() || machine_.stopping() ? std::chrono::milliseconds{1000}
                                                         : std::chrono::milliseconds{50};
    }
    void look(steady_time now) {
        std::vector<part_health> all;
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            all.push_back({machine_.runs(i), machine_.is_done(i), parts_[i].health()});
            if (all.back().running && all.back().is_ready()) machine_.became_ready(i, now);
        }
        health_.observe(std::move(all), machine_.stopping(), now);
        if (!service_.is_open()) return;
        const service_state s{health_.is_ready(), health_.is_healthy(), health_.is_stopping(), health_.status()};
        const auto message = notifier_.due(s, now);
        if (!message.empty() && service_.send(message)) notifier_.sent(s, now);
    }

    void log(std::string_view line) const {
        if (options_->log) return options_->log(line);
        std::fprintf(stderr, "pgq::run: %.*s\n", static_cast<int>(line.size()), line.data());
    }

    const run_options* options_;
    supervision machine_;
    program_health health_;
    notify_socket service_;
    service_notifier notifier_;
    std::optional<health_port> port_{};
    signal_pipe signals_{};
    driver::pq::self_pipe changed_{};
    std::stop_source stop_{};
    std::deque<detail::part> parts_{};  // their threads use the members above
    std::vector<pollfd> watched_{};
    int last_signal_ = 0;
};

}  // namespace pgq::detail
