#pragma once

#include "database_thread.hpp"
#include "terminal.hpp"
#include "wake_pipe.hpp"

#include <pgq/cli/top/draw.hpp>
#include <pgq/cli/top/machine.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <utility>

namespace pgq_top {

/// Notes the signals that end a program, and wakes the screen. There is one at a time.
class ending_signals {
public:
    explicit ending_signals(const wake_pipe& wake) {
        pipe_ = &wake;
        for (const int s : {SIGINT, SIGTERM, SIGHUP}) {
            struct sigaction how {};
            how.sa_handler = [](int number) {
                received_ = number;
                pipe_->wake();
            };
            ::sigaction(s, &how, nullptr);
        }
    }
    ~ending_signals() {
        for (const int s : {SIGINT, SIGTERM, SIGHUP}) std::signal(s, SIG_DFL);
    }
    ending_signals(const ending_signals&) = delete;
    ending_signals& operator=(const ending_signals&) = delete;

    int received() const noexcept { return received_; }

private:
    static inline volatile std::sig_atomic_t received_ = 0;
    static inline const wake_pipe* pipe_ = nullptr;
};

/// The loop between keys, the database and the screen.
class live {
public:
    live(terminal& screen, database_thread& database, const wake_pipe& wake, pgq::cli::top::settings with,
         std::int64_t most_samples)
        : screen_{screen}, database_{database}, wake_{wake}, machine_{std::move(with)}, left_{most_samples} {}

    /// Until `q`, a signal, the end of the terminal, or so many samples.
    void run(const ending_signals& signals) {
        while (!quits_ && signals.received() == 0) {
            machine_.resized(screen_.size());
            send(machine_.tick(now()));
            screen_.show(pgq::cli::top::draw(machine_.state(), now()));
            if (!screen_.wait(wake_.reading(), static_cast<int>(machine_.idle_time(now()).count()))) return;
            wake_.drain();
            press(screen_.keys());
            for (auto& r : database_.answers()) receive(std::move(r));
        }
    }

private:
    static pgq::steady_time now() { return std::chrono::steady_clock::now(); }

    /// Keys that came together with the one that opened a question are no answer: nobody has read it yet.
    template <class Keys>
    void press(const Keys& all) {
        for (const auto k : all) {
            const bool asked = machine_.state().question.has_value();
            send(machine_.pressed(k, now()));
            if (!asked && machine_.state().question) return;
        }
    }
    void receive(pgq::cli::top::reply r) {
        if (r.to.what == pgq::cli::top::ask::sample && !r.error && --left_ == 0) quits_ = true;
        send(machine_.answered(std::move(r), now()));
    }
    void send(pgq::cli::top::machine::requests all) {
        using pgq::cli::top::ask;
        for (auto& q : all) {
            if (q.what == ask::quit) quits_ = true;
            else if (q.what == ask::stop) database_.stop_action();
            else database_.send(std::move(q));
        }
    }

    terminal& screen_;
    database_thread& database_;
    const wake_pipe& wake_;
    pgq::cli::top::machine machine_;
    std::int64_t left_;
    bool quits_ = false;
};

}  // namespace pgq_top
