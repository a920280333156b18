#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/detail/unit_random.hpp>
#include <pgq/event/events.hpp>
#include <pgq/fsm/reconnect.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace pgq::detail {

/// The heartbeat of a worker: a thread and a session of its own, so that no handler delays it. It also gives the jobs of dead
/// colleagues back. When it has to tell the worker that its leases are lost, because the database said so or because it could
/// not beat in time, it calls `lost`; when jobs of this worker are to stop, `stop_asked`, in case the word of it got lost.
template <class Driver, class Observer>
class monitor {
public:
    monitor(const Driver& driver, Observer& observer, duration lease_time, std::function<void()> lost,
            std::function<void()> stop_asked)
        : driver_{&driver},
          observer_{&observer},
          lease_time_{lease_time},
          lost_{std::move(lost)},
          stop_asked_{std::move(stop_asked)} {}
    ~monitor() { stop(); }

    void start(worker_id id) {
        stop();
        stopping_ = false;
        worker_.store(id.value);
        thread_ = std::thread{[this] { run(); }};
    }
    /// The worker has registered again.
    void follow(worker_id id) noexcept { worker_.store(id.value); }
    void stop() noexcept {
        {
            const std::lock_guard lock{mutex_};
            stopping_ = true;
        }
        changed_.notify_all();
        if (thread_.joinable()) thread_.join();
    }

private:
    using clock = std::chrono::steady_clock;
    // So many beats in each lease time while there are dead rows to write away with each: a fast queue leaves a million in a few seconds.
    static constexpr int brisk = 30;

    void run() noexcept {
        auto last_beat = clock::now();
        int told = 0;  // the worker that was told it is lost
        duration pause = lease_time_ / 3;
        while (rest(pause)) {
            const int id = worker_.load();
            const auto asked = clock::now();
            auto answer = beat({id});
            if (answer && answer->compacted) brisk_until_ = asked + lease_time_;
            if (answer) report_once(std::move(answer->compact_error));
            pause = !answer                ? std::min<duration>(retry_.failed(unit_random()), lease_time_ / 6)
                    : asked < brisk_until_ ? lease_time_ / brisk
                                           : lease_time_ / 3;
            if (answer && answer->alive) last_beat = asked;
            // A beat that fails is no verdict yet; a lease that ends before the next one can succeed is.
            const bool dead = answer ? !answer->alive : clock::now() - last_beat > lease_time_ * 4 / 5;
            if (dead && told != id && id == worker_.load()) {
                told = id;
                lost_();
            }
            if (dead) last_beat = clock::now();
            if (answer && answer->stop_asked) stop_asked_();
            if (answer && answer->work_to_rescue) rescue();
            if (answer && asked >= next_sweep_) sweep(asked);
        }
    }

    /// False when it is time to stop.
    bool rest(duration d) {
        std::unique_lock lock{mutex_};
        return !changed_.wait_for(lock, d, [this] { return stopping_; });
    }

    result<beat_reply> beat(worker_id id) {
        if (!session_) {
            auto opened = driver_->connect(session_role::monitor);
            if (!opened) return report(std::move(opened.error()));
            session_.emplace(std::move(*opened));
        }
        auto answer = session_->beat(id);
        if (!answer) {
            session_.reset();
            return report(std::move(answer.error()));
        }
        retry_.succeeded();
        return answer;
    }

    void rescue() {
        auto rescued = session_->rescue();
        if (!rescued) return void(report(std::move(rescued.error())));
        if (rescued->workers != 0 || rescued->returned != 0 || rescued->held != 0)
            notify(*observer_, event::jobs_rescued{rescued->workers, rescued->returned, rescued->held});
    }

    // Records whose time is over cost nothing but space, so this need not be often.
    void sweep(clock::time_point now) {
        next_sweep_ = now + std::chrono::minutes{1};
        if (auto swept = session_->sweep(); !swept) (void)report(std::move(swept.error()));
    }

    // Each beat tries to compact again; the observer receives the same error once.
    void report_once(std::optional<error_info> e) {
        if (e && e->message != compact_error_) notify(*observer_, event::trouble{*e});
        compact_error_ = e ? std::move(e->message) : std::string{};
    }

    error_info report(error_info e) {
        notify(*observer_, event::trouble{e});
        return e;
    }

    const Driver* driver_;
    Observer* observer_;
    duration lease_time_;
    std::function<void()> lost_;
    std::function<void()> stop_asked_;
    clock::time_point next_sweep_{}, brisk_until_{};
    std::string compact_error_{};
    std::optional<typename Driver::session> session_;
    fsm::reconnect retry_{};
    std::atomic<int> worker_{0};
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace pgq::detail
