// What does the limit of one entrypoint cost the other entrypoints? The program drains jobs of an unlimited entrypoint,
// in turns from two queues. In the first queue the second entrypoint has no limit and no jobs. In the other queue its
// limit is used up, and 10 000 of its jobs wait.
//
//     limits [JOBS [ROUNDS]]        connects to PGQ_DSN; if that is not set, to the server of libpq's environment

#include <pgq/driver/libpq.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/limiter/global_concurrency.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct unlimited_job {
    static constexpr std::string_view entrypoint = "unlimited_job";
    std::int64_t n = 0;
};
struct limited_job {
    static constexpr std::string_view entrypoint = "limited_job";
    std::int64_t n = 0;
};

}  // namespace

BOOST_HANA_ADAPT_STRUCT(unlimited_job, n);
BOOST_HANA_ADAPT_STRUCT(limited_job, n);

namespace {

using unlimited_queue =
    pgq::queue<unlimited_job, limited_job, pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place>;
using limited_queue = pgq::queue<unlimited_job, pgq::job<limited_job, pgq::limiter::serialized>, pgq::driver::libpq,
                                 pgq::serializer::json, pgq::executor::in_place>;

template <class Queue>
double drain(Queue& jobs, std::int64_t count) {
    std::vector<unlimited_job> batch(10000);
    for (std::int64_t done = 0; done < count; done += 10000) jobs.enqueue(batch).value();
    std::int64_t left = count;
    std::stop_source stop;
    pgq::worker w{jobs,
                  [&](const unlimited_job&) {
                      if (--left == 0) stop.request_stop();
                  },
                  [](const limited_job&) {}};
    const auto began = std::chrono::steady_clock::now();
    w.run(stop.get_token()).value();
    return static_cast<double>(count) / std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

double median(std::vector<double> all) {
    std::sort(all.begin(), all.end());
    return all[all.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
    const std::int64_t count = argc > 1 ? std::atoll(argv[1]) : 200000;
    const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
    const char* dsn = std::getenv("PGQ_DSN");
    const pgq::driver::connection_options options{.conninfo = dsn == nullptr ? "" : dsn};
    const std::string suffix = std::to_string(::getpid());
    unlimited_queue without{pgq::driver::libpq{options}, {.name = "bench_without_" + suffix}};
    limited_queue with{pgq::driver::libpq{options}, {.name = "bench_with_" + suffix}};
    without.install().value();

    // This session holds the only place of the limit; the other jobs wait for it.
    with.enqueue(std::vector<limited_job>(10000)).value();
    auto holder = with.driver().connect(pgq::session_role::worker).value();
    (void)holder.limits(with.name(), with.limiters().declared).value();
    const auto lanes = with.lanes().value();
    const auto limited_lane = lanes[1];
    const auto me =
        holder
            .register_worker(
                {.host = "bench", .pid = 1, .version = "0", .lease_time = std::chrono::hours{1}, .lanes = lanes})
            .value();
    const pgq::limited_lane wanted{.lane = limited_lane, .most = 1, .max_attempts = 5};
    pgq::sync_reply held;
    holder.sync({.worker = me, .limited = {&wanted, 1}, .limited_capacity = 1}, held).value();
    if (held.claimed() != 1) return 1;

    std::vector<double> plain, with_limit, ratio;
    for (int i = 0; i < rounds; ++i) {
        plain.push_back(drain(without, count));
        with_limit.push_back(drain(with, count));
        ratio.push_back(with_limit.back() / plain.back());
        std::printf("round %d: %.0f jobs/s without a limit, %.0f next to a limit that is used up, ratio %.3f\n", i + 1,
                    plain.back(), with_limit.back(), ratio.back());
    }
    std::printf("median: %.0f and %.0f jobs/s, ratio %.3f\n", median(plain), median(with_limit), median(ratio));
    holder.retire(me).value();
}
