// How long does an idle worker take to start a job that was just enqueued, and a retry without delay to start again?
//
//     latency [ROUNDS]        the server is the one of PGQ_DSN, else the one of libpq's environment

#include <pgq/driver/libpq.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/job/members.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

struct ping {
    static constexpr std::string_view entrypoint = "ping";
    int round = 0;
};
struct again {
    static constexpr std::string_view entrypoint = "again";
    int round = 0;
};

}  // namespace

BOOST_HANA_ADAPT_STRUCT(ping, round);
BOOST_HANA_ADAPT_STRUCT(again, round);

namespace {

using bench_queue =
    pgq::queue<pgq::job<ping>, pgq::job<again>, pgq::driver::libpq, pgq::serializer::json, pgq::executor::thread_pool>;

/// When something happened, told by one thread to another.
class mark {
public:
    void set() {
        const std::lock_guard lock{mutex_};
        at_ = steady::now();
        set_ = true;
        changed_.notify_all();
    }
    steady::time_point take() {
        std::unique_lock lock{mutex_};
        if (!changed_.wait_for(lock, 30s, [this] { return set_; })) {
            std::fputs("latency: a job did not start within 30 s\n", stderr);
            std::exit(1);
        }
        set_ = false;
        return at_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    steady::time_point at_{};
    bool set_ = false;
};

// The worker needs a moment to acknowledge and to announce that it sleeps.
void let_it_fall_asleep() {
    std::mutex m;
    std::condition_variable never;
    std::unique_lock lock{m};
    never.wait_for(lock, 3ms);
}

void print(const char* what, std::vector<double> ms) {
    std::sort(ms.begin(), ms.end());
    const auto at = [&](double q) { return ms[static_cast<std::size_t>(q * static_cast<double>(ms.size() - 1))]; };
    std::printf("%-28s %6zu %9.3f %9.3f %9.3f %9.3f\n", what, ms.size(), at(0), at(0.5), at(0.99), at(1));
}

double ms_between(steady::time_point from, steady::time_point to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
}

int run(int rounds) {
    const char* dsn = std::getenv("PGQ_DSN");
    bench_queue jobs{pgq::driver::libpq{pgq::driver::connection_options{.conninfo = dsn != nullptr ? dsn : ""}},
                     {.name = "latency " + std::to_string(::getpid())},
                     pgq::executor::thread_pool{2}};
    jobs.install().value();
    mark started, failed, restarted;
    pgq::worker w{jobs, [&](const ping&) { started.set(); },
                  [&](const again&, pgq::context& c) -> pgq::outcome {
                      if (c.attempt() == 1) {
                          failed.set();
                          return pgq::retry_after{0s, "once more"};
                      }
                      restarted.set();
                      return pgq::done{};
                  }};
    std::jthread worker{[&](std::stop_token stop) { w.run(stop).value(); }};

    std::vector<double> start, returned, retry;
    for (int i = 0; i < rounds + 20; ++i) {
        let_it_fall_asleep();
        const auto before = steady::now();
        jobs.enqueue(ping{i}).value();
        const auto after = steady::now();
        const auto at = started.take();
        if (i < 20) continue;
        returned.push_back(ms_between(before, after));
        start.push_back(ms_between(before, at));
    }
    for (int i = 0; i < rounds; ++i) {
        let_it_fall_asleep();
        jobs.enqueue(again{i}).value();
        const auto from = failed.take();
        retry.push_back(ms_between(from, restarted.take()));
    }
    std::printf("%-28s %6s %9s %9s %9s %9s\n", "milliseconds", "n", "min", "p50", "p99", "max");
    print("enqueue() itself", returned);
    print("enqueue to handler, idle", start);
    print("retry without delay", retry);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 500);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "latency: %s\n", e.what());
        return 1;
    }
}
