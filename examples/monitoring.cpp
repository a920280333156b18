// monitoring worker PORT | database PORT | enqueue COUNT | text: a worker, and a program that watches the database,
// with metrics for Prometheus at PORT (0: any free one, which is printed). `text` runs some jobs and prints the metrics
// once. The database is that of PGQ_DSN.

#include <pgq/backoff/none.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/limiter/global_concurrency.hpp>
#include <pgq/observer/database_metrics.hpp>
#include <pgq/observer/prometheus.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <prometheus/exposer.h>
#include <prometheus/text_serializer.h>

#include <signal.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace app {

struct parcel {
    static constexpr std::string_view entrypoint = "parcel";
    std::int64_t number = 0;
};

// All workers together deliver six parcels at once. The metrics say how much of that is used.
using queue =
    pgq::queue<pgq::job<parcel, pgq::limiter::global_concurrency<6>>, pgq::driver::libpq, pgq::serializer::json,
               pgq::executor::thread_pool, pgq::backoff::none, pgq::observer::prometheus>;

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::parcel, number);

namespace {

pgq::driver::libpq database() {
    const char* const dsn = std::getenv("PGQ_DSN");
    return pgq::driver::libpq{dsn == nullptr ? "" : dsn};
}

void deliver(const app::parcel& p) {
    if (p.number % 10 == 9) throw std::runtime_error{"nobody opens the door"};
}

// The signals that end a program; all its threads block them.
sigset_t block_signals() {
    sigset_t ends;
    sigemptyset(&ends);
    for (const int s : {SIGINT, SIGTERM}) sigaddset(&ends, s);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    return ends;
}
void wait_for_signal(const sigset_t& ends, const prometheus::Exposer& exposer) {
    std::printf("metrics at port %d\n", exposer.GetListeningPorts().at(0));
    std::fflush(stdout);
    int signal = 0;
    sigwait(&ends, &signal);
}

int work(const std::string& port) {
    const sigset_t ends = block_signals();
    const pgq::observer::prometheus metrics;  // shares its counts with the copy in the queue
    app::queue jobs{database(), {}, pgq::executor::thread_pool{4}, metrics};
    jobs.install().value();

    prometheus::Exposer exposer{"127.0.0.1:" + port};  // GET /metrics
    exposer.RegisterCollectable(metrics.collectable());

    pgq::worker w{jobs, {.max_attempts = 2}, deliver};
    std::jthread running{[&](const std::stop_token& stop) { w.run(stop).value(); }};
    wait_for_signal(ends, exposer);
    return 0;
}

// One such program watches all queues of the database. It needs the rights of a reader only.
int watch(const std::string& port) {
    const sigset_t ends = block_signals();
    const auto numbers = std::make_shared<pgq::observer::database_metrics<pgq::driver::libpq>>(database());
    prometheus::Exposer exposer{"127.0.0.1:" + port};
    exposer.RegisterCollectable(numbers);
    wait_for_signal(ends, exposer);
    return 0;
}

int enqueue(std::int64_t count) {
    app::queue jobs{database()};
    jobs.install().value();
    std::vector<app::parcel> parcels;
    for (std::int64_t i = 0; i < count; ++i) parcels.push_back({i});
    jobs.enqueue(parcels).value();
    return 0;
}

// Runs some jobs, and prints what the observer and the database say.
int print_metrics() {
    const pgq::observer::prometheus metrics;
    app::queue jobs{database(), {}, pgq::executor::thread_pool{4}, metrics};
    jobs.install().value();
    jobs.enqueue(std::vector<app::parcel>(20)).value();
    pgq::worker_options until_empty{.max_attempts = 2, .until = pgq::run_until::empty};
    pgq::worker w{jobs, until_empty, deliver};
    w.run().value();

    auto families = metrics.Collect();
    const pgq::observer::database_metrics numbers{database()};
    for (auto& family : numbers.Collect()) families.push_back(std::move(family));
    std::fputs(prometheus::TextSerializer{}.Serialize(families).c_str(), stdout);
    return 0;
}

}  // namespace

int main(int argc, char** argv) try {
    const std::string_view what = argc > 1 ? argv[1] : "";
    if (what == "worker" && argc == 3) return work(argv[2]);
    if (what == "database" && argc == 3) return watch(argv[2]);
    if (what == "enqueue" && argc == 3) return enqueue(std::atoll(argv[2]));
    if (what == "text" && argc == 2) return print_metrics();
    std::fputs("usage: monitoring worker PORT | database PORT | enqueue COUNT | text\n", stderr);
    return 2;
} catch (const std::exception& e) {
    std::fprintf(stderr, "monitoring: %s\n", e.what());
    return 1;
}
