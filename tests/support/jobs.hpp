#pragma once

#include <pgq/context/context.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/job/members.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <support/pooled.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace test {

/// The job type of most scenarios.
struct note {
    static constexpr std::string_view entrypoint = "note";
    std::int64_t n = 0;
    std::string text{};
};

/// The second job type, for scenarios that need two.
struct letter {
    static constexpr std::string_view entrypoint = "letter";
    std::int64_t n = 0;
};

/// The job type of tests/programs/worker.cpp.
struct task {
    static constexpr std::string_view entrypoint = "task";
    std::int64_t n = 0;
    std::string act{};  ///< what to do, unless the process has its own setting
};

/// An observer that counts the events of a worker.
class event_counts {
public:
    using policy_category = pgq::observer_tag;
    struct counts {
        std::atomic<int> started{0}, stopped{0}, lost{0}, failed{0}, restored{0}, errors{0}, returned{0}, held{0};
        std::atomic<int> in_hand{0}, most_in_flight{0};
    };

    void on(const pgq::event::worker_started&) { ++seen_->started; }
    void on(const pgq::event::worker_stopped&) { ++seen_->stopped; }
    void on(const pgq::event::lease_lost&) { ++seen_->lost; }
    void on(const pgq::event::connection_failed&) { ++seen_->failed; }
    void on(const pgq::event::connection_restored&) { ++seen_->restored; }
    void on(const pgq::event::error&) { ++seen_->errors; }
    void on(const pgq::event::jobs_rescued& e) {
        seen_->returned += static_cast<int>(e.returned);
        seen_->held += static_cast<int>(e.held);
    }
    void on(const pgq::event::jobs_claimed& e) {
        const int now = seen_->in_hand += static_cast<int>(e.count);
        int most = seen_->most_in_flight;
        while (most < now && !seen_->most_in_flight.compare_exchange_weak(most, now)) {}
    }
    void on(const pgq::event::job_finished&) { --seen_->in_hand; }

    const counts* operator->() const noexcept { return seen_.get(); }

private:
    std::shared_ptr<counts> seen_ = std::make_shared<counts>();
};

/// One run of a job, as its handler saw it.
struct sighting {
    std::int64_t n = 0;
    pgq::job_id id{};
    std::int16_t attempt = 0;
    std::int16_t priority = 0;
    std::string text{};
    std::vector<std::pair<std::string, std::string>> headers{};
    std::chrono::steady_clock::time_point at{};
};

class run_log {
public:
    sighting add(std::int64_t n, const pgq::context& c, std::string text = {}) {
        sighting s{.n = n, .id = c.id(), .attempt = c.attempt(), .priority = c.priority(), .text = std::move(text)};
        for (const auto& h : c.headers()) s.headers.emplace_back(h.name, h.value);
        s.at = std::chrono::steady_clock::now();
        const std::lock_guard lock{mutex_};
        all_.push_back(s);
        return s;
    }
    std::vector<sighting> all() const {
        const std::lock_guard lock{mutex_};
        return all_;
    }
    std::size_t size() const {
        const std::lock_guard lock{mutex_};
        return all_.size();
    }
    /// The number of runs of each job.
    std::map<std::int64_t, int> runs() const {
        std::map<std::int64_t, int> counted;
        for (const auto& s : all()) ++counted[s.n];
        return counted;
    }
    bool each_ran_once(std::size_t jobs) const { return size() == jobs && runs().size() == jobs; }

private:
    mutable std::mutex mutex_;
    std::vector<sighting> all_;
};

/// Handlers wait here until the test opens it, or until their stop token fires.
class gate {
public:
    void open() {
        {
            const std::lock_guard lock{mutex_};
            open_ = true;
        }
        changed_.notify_all();
    }
    /// Returns false if the stop token ended the wait.
    bool pass(const pgq::context& c) {
        ++waiting_;
        std::unique_lock lock{mutex_};
        const bool opened = changed_.wait(lock, c.stop_token(), [this] { return open_; });
        --waiting_;
        return opened;
    }
    int waiting() const noexcept { return waiting_; }

private:
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::atomic<int> waiting_{0};
    bool open_ = false;
};

/// A test that forbids polls means: not later than the wake-up. Behind a pooler there are none, and the worker polls.
inline pgq::worker_options as_pooled(pgq::worker_options o) {
    if (is_pooled()) o.poll_interval = std::min<pgq::duration>(o.poll_interval, std::chrono::milliseconds{100});
    return o;
}

/// A worker on its own thread. The destructor stops it.
template <class Queue, class... Handlers>
class running_worker {
public:
    running_worker(Queue& queue, pgq::worker_options options, Handlers... handlers)
        : worker_{queue, as_pooled(std::move(options)), std::move(handlers)...} {
        thread_ = std::jthread{[this](std::stop_token stop) {
            outcome_ = worker_.run(std::move(stop));
            over_ = true;
        }};
    }
    bool is_over() const noexcept { return over_; }
    void request_stop() { thread_.request_stop(); }
    pgq::result<void> stop() {
        thread_.request_stop();
        if (thread_.joinable()) thread_.join();
        return outcome_;
    }

private:
    pgq::worker<Queue, Handlers...> worker_;
    pgq::result<void> outcome_{};
    std::atomic<bool> over_{false};
    std::jthread thread_;
};

template <class Queue, class... Handlers>
running_worker(Queue&, pgq::worker_options, Handlers...) -> running_worker<Queue, Handlers...>;

/// Runs a worker until no job can be claimed.
template <class Queue, class... Handlers>
void run_until_empty(Queue& queue, pgq::worker_options options, Handlers... handlers) {
    if (options.until == pgq::run_until::stopped) options.until = pgq::run_until::empty;
    pgq::worker w{queue, options, std::move(handlers)...};
    w.run().value();
}

inline std::vector<note> notes(std::int64_t count) {
    std::vector<note> made;
    for (std::int64_t i = 0; i < count; ++i) made.push_back({.n = i, .text = "note " + std::to_string(i)});
    return made;
}

}  // namespace test

BOOST_HANA_ADAPT_STRUCT(test::note, n, text);
BOOST_HANA_ADAPT_STRUCT(test::letter, n);
BOOST_HANA_ADAPT_STRUCT(test::task, n, act);

namespace test {

/// A queue of notes over libpq with an observer. More policies may be added.
template <class... Policies>
using note_queue = pgq::queue<pgq::job<note>, pgq::driver::libpq, pgq::serializer::json, pgq::executor::thread_pool,
                              event_counts, Policies...>;

}  // namespace test
