#pragma once

#include <pgq/cli/bench/arrivals.hpp>
#include <pgq/cli/bench/probe.hpp>

#include <pgq/error/result.hpp>
#include <pgq/worker.hpp>

#include <cstddef>
#include <future>
#include <stop_token>
#include <string>
#include <utility>

namespace pgq::cli::bench {

/// A worker on a thread of its own, with a connection of its own, whose handler only notes that the job has started.
/// The destructor stops it.
class working {
public:
    working(const driver::libpq& where, std::string queue, std::size_t threads, const worker_options& how, arrivals& to)
        : ended_{std::async(std::launch::async, [this, &to, where, queue = std::move(queue), threads, how] {
              auto done = run(where, queue, threads, how, to);
              to.end();
              return done;
          })} {}
    working(const working&) = delete;
    working& operator=(const working&) = delete;
    ~working() {
        stop_.request_stop();
        if (ended_.valid()) ended_.wait();
    }

    bool has_ended_by(steady::time_point time) const { return ended_.wait_until(time) == std::future_status::ready; }
    void request_stop() { stop_.request_stop(); }
    /// Waits for its end. Throws `failure` if it could not work.
    void join() { ended_.get().value(); }

private:
    result<void> run(const driver::libpq& where, const std::string& queue, std::size_t threads,
                     const worker_options& how, arrivals& to) const {
        probe_queue jobs{where, {.name = queue}, executor::thread_pool{threads}};
        worker w{jobs, how, [&to](const probe&) { to.add(); }};
        return w.run(stop_.get_token());
    }

    std::stop_source stop_{};
    std::future<result<void>> ended_;
};

}  // namespace pgq::cli::bench
