// A worker process that the tests of exactly once and at most once kill: delivery_worker KEY=VALUE...
//
//   dsn, schema      where the jobs are stored, and the table `effects` (n, pid)
//   lease, threads   milliseconds; a number
//   rest             microseconds that a handler takes
//   how=exactly      each handler inserts its job's number into `effects` in its transaction
//       most         at-most-once jobs, whose handlers insert over another connection
//
// It prints READY when the worker has started.

#include <pgq/delivery/at_most_once.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/worker.hpp>

#include <support/child_program.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

namespace {

struct reporter {
    using policy_category = pgq::observer_tag;
    void on(const pgq::event::worker_started&) {
        std::puts("READY");
        std::fflush(stdout);
    }
};

template <class... Policies>
using queue_of = pgq::queue<pgq::job<test::task, Policies...>, pgq::driver::libpq, pgq::serializer::json,
                            pgq::executor::thread_pool, reporter>;

std::map<std::string, std::string> read(int argc, char** argv) {
    std::map<std::string, std::string> s{{"lease", "1000"}, {"threads", "4"}, {"rest", "1000"}, {"how", "exactly"}};
    for (int i = 1; i < argc; ++i) {
        const std::string a = argv[i];
        const auto eq = a.find('=');
        s[a.substr(0, eq)] = a.substr(eq + 1);
    }
    return s;
}

template <class Queue, class Handler>
int work(std::map<std::string, std::string> s, const pgq::driver::connection_options& to, Handler handler) {
    Queue jobs{pgq::driver::libpq{to},
               {},
               pgq::executor::thread_pool{static_cast<std::size_t>(std::atoi(s["threads"].c_str()))}};
    pgq::worker_options options{.max_attempts = 1000,
                                .lease_time = std::chrono::milliseconds{std::atoi(s["lease"].c_str())},
                                .poll_interval = std::chrono::milliseconds{500}};
    pgq::worker w{jobs, options, handler};
    std::stop_source stop;
    std::thread listener{[&] {
        sigset_t ends;
        sigemptyset(&ends);
        sigaddset(&ends, SIGTERM);
        int number = 0;
        sigwait(&ends, &number);
        stop.request_stop();
    }};
    const auto ended = w.run(stop.get_token());
    ::kill(::getpid(), SIGTERM);
    listener.join();
    if (!ended) std::fprintf(stderr, "%s\n", ended.error().text().c_str());
    return ended ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    test::begin_child_program();

    auto s = read(argc, argv);
    const pgq::driver::connection_options to{.conninfo = s["dsn"], .schema = s["schema"]};
    const double rest = std::atof(s["rest"].c_str()) / 1e6;
    if (s["how"] == "most") {
        using queue = queue_of<pgq::delivery::at_most_once>;
        const test::sql_connection sql{s["dsn"], s["schema"]};
        std::mutex mutex;
        return work<queue>(s, to, [&](const test::task& t) {
            const std::lock_guard lock{mutex};
            (void)sql.exec("INSERT INTO {s}.effects VALUES (" + std::to_string(t.n) + ", " +
                           std::to_string(::getpid()) + ")");
        });
    }
    using queue = queue_of<>;
    const auto insert = pgq::statement::render("INSERT INTO {s}.effects VALUES ($1, $2)", to.schema);
    return work<queue>(s, to, [&](const test::task& t, pgq::transaction<queue>& tx) {
        (void)tx.exec(insert, t.n, ::getpid()).value();
        (void)tx.exec("SELECT pg_sleep($1::float8)", rest).value();
    });
}
