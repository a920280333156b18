#pragma once

#include <pgq/driver/pq/connection/self_pipe.hpp>
#include <pgq/error/result.hpp>
#include <pgq/run/runnable_ref.hpp>

#include <atomic>
#include <exception>
#include <optional>
#include <stop_token>
#include <system_error>
#include <thread>
#include <utility>

namespace pgq::detail {

/// A part of the program, and the thread that runs it. One thread uses it. At the end of a run it signals `changed`.
class part {
public:
    part(runnable_ref object, driver::pq::self_pipe& changed) noexcept : object_{object}, changed_{&changed} {}
    part(const part&) = delete;
    part& operator=(const part&) = delete;
    ~part() {
        if (thread_.joinable()) thread_.join();
    }

    void start(std::stop_token stop) {
        ended_.store(false);
        try {
            thread_ = std::thread{[this, stop = std::move(stop)] { work(stop); }};
        } catch (const std::system_error& e) {  // no thread could be started
            how_ = error_info{e.code(), e.what()};
            ended_.store(true);
            changed_->signal();
        }
    }
    /// How the run ended, once; empty while it is under way.
    std::optional<result<void>> take_end() {
        if (!ended_.exchange(false)) return std::nullopt;
        if (thread_.joinable()) thread_.join();
        return how_;
    }
    std::optional<worker_health> health() const { return object_.health(); }

private:
    void work(const std::stop_token& stop) noexcept {
        try {
            how_ = object_.run(stop);
        } catch (const failure& e) { how_ = e.info(); } catch (const std::system_error& e) {
            how_ = error_info{e.code(), e.what()};
        } catch (const std::exception& e) { how_ = error_info{errc::stopped, e.what()}; } catch (...) {
            how_ = error_info{errc::stopped, "an exception that is no std::exception"};
        }
        ended_.store(true);
        changed_->signal();
    }

    runnable_ref object_;
    driver::pq::self_pipe* changed_;
    std::atomic<bool> ended_{false};
    result<void> how_{};  // written by the thread, before ended_
    std::thread thread_{};
};

}  // namespace pgq::detail
