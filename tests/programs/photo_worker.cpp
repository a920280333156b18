// A worker of one of five program versions: photo_worker VERSION DSN JOURNAL SCHEMA. With a fifth argument it enqueues
// that many jobs of its version. Without it, it runs jobs until it gets a signal, and inserts a row into `seen` for
// each execution.

#include <pgq/driver/libpq.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/versioned.hpp>
#include <pgq/worker.hpp>

#include <support/database.hpp>
#include <support/photos.hpp>

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace {

struct ready_sign {
    using policy_category = pgq::observer_tag;
    void on(const pgq::event::worker_started&) {
        std::puts("READY");
        std::fflush(stdout);
    }
};

template <class Photo>
using photo_queue = pgq::queue<Photo, pgq::driver::libpq, pgq::serializer::versioned<pgq::serializer::json>,
                               pgq::executor::thread_pool, ready_sign>;

template <class Photo>
int produce(photo_queue<Photo>& jobs, std::int64_t count) {
    std::vector<Photo> all(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) all[static_cast<std::size_t>(i)].n = i;
    return jobs.enqueue(all) ? 0 : 1;
}

template <class Photo>
int work(photo_queue<Photo>& jobs, const char* version, const char* journal, const char* schema) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    std::mutex mutex;
    const test::sql_connection log{journal, schema};
    pgq::worker w{
        jobs,
        {.max_attempts = 100, .lease_time = std::chrono::seconds{2}, .poll_interval = std::chrono::seconds{1}},
        [&](const Photo&, const pgq::context& c) {
            const std::lock_guard lock{mutex};
            (void)log.exec("INSERT INTO {s}.seen VALUES (" + std::to_string(c.id().value) + ", " +
                           std::to_string(c.attempt()) + ", " + version + ", " + std::to_string(::getpid()) + ")");
        }};
    std::stop_source stop;
    std::thread listener{[&] {
        int number = 0;
        sigwait(&ends, &number);
        stop.request_stop();
    }};
    const auto ended = w.run(stop.get_token());
    ::kill(::getpid(), SIGTERM);
    listener.join();
    return ended ? 0 : 1;
}

template <class Photo>
int run(int argc, char** argv) {
    const pgq::driver::connection_options where{.conninfo = argv[2], .schema = argv[4]};
    photo_queue<Photo> jobs{pgq::driver::libpq{where}, {}, pgq::executor::thread_pool{2}};
    if (argc > 5) return produce(jobs, std::atoll(argv[5]));
    return work(jobs, argv[1], argv[3], argv[4]);
}

}  // namespace

int main(int argc, char** argv) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (argc < 5) return 2;
    switch (std::atoi(argv[1])) {
    case 1: return run<test::photos::v1>(argc, argv);
    case 2: return run<test::photos::v2>(argc, argv);
    case 3: return run<test::photos::v3>(argc, argv);
    case 4: return run<test::photos::v4>(argc, argv);
    default: return run<test::photos::v5>(argc, argv);
    }
}
