// run:
// A service with plain jobs, jobs at a later time, a function on schedule, limits, and a long job in steps. It is
// cancelled once and stopped once while it runs. This example keeps the jobs in memory, with a clock that it moves
// itself; driver::libpq works the same, with the clock of the database.

#include <pgq/driver/memory.hpp>
#include <pgq/job/tick.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/time/manual_clock.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <semaphore>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace app {

struct fetch {
    static constexpr std::string_view entrypoint = "fetch";
    std::string url{};
};
struct data_processing {
    static constexpr std::string_view entrypoint = "data_processing";
    int part = 0;
};
struct shared_resource {
    static constexpr std::string_view entrypoint = "shared_resource";
    int change = 0;
};
struct long_task {
    static constexpr std::string_view entrypoint = "long_task";
    int steps = 0;
};
using every_minute = pgq::tick<"every_minute">;  // no data: a function that runs on schedule

}  // namespace app

BOOST_HANA_ADAPT_STRUCT(app::fetch, url);
BOOST_HANA_ADAPT_STRUCT(app::data_processing, part);
BOOST_HANA_ADAPT_STRUCT(app::shared_resource, change);
BOOST_HANA_ADAPT_STRUCT(app::long_task, steps);

namespace limiter = pgq::limiter;

// Over all workers: ten parts a second and four at a time; the shared resource changes once at a time.
using service = pgq::queue<
    app::fetch, pgq::job<app::every_minute, pgq::schedule::cron<"* * * * *", pgq::schedule::skip_missed>>,
    pgq::job<app::data_processing, limiter::all_of<limiter::global_rate<10>, limiter::global_concurrency<4>>>,
    pgq::job<app::shared_resource, limiter::global_concurrency<1>>, app::long_task, pgq::driver::memory,
    pgq::serializer::json>;

// What the handlers have done. A thread may wait for it.
struct progress {
    int fetched = 0, minutes = 0, parts = 0, changes = 0;
};
std::mutex mutex;  // of `done`
std::condition_variable more_is_done;
progress done;
std::atomic<int> at_once{0}, most_at_once{0};
std::counting_semaphore<> long_task_begun{0};

void count(int progress::*what) {
    {
        const std::lock_guard lock{mutex};
        ++(done.*what);
    }
    more_is_done.notify_all();
}

void change(const app::shared_resource&) {
    if (const int now = ++at_once; now > most_at_once) most_at_once = now;
    --at_once;
    count(&progress::changes);
}

// Between its steps it asks whether it should stop. When it is cancelled, it ends as cancelled. When the service stops,
// it goes back to the queue: half done is not done.
void work_in_steps(const app::long_task& job, pgq::context& c) {
    long_task_begun.release();
    for (int step = 0; step < job.steps; ++step) {
        c.throw_if_stopping();
        std::this_thread::yield();
    }
}

bool reaches(int progress::*what, int count, std::chrono::milliseconds within) {
    std::unique_lock lock{mutex};
    return more_is_done.wait_for(lock, within, [&] { return done.*what >= count; });
}

void require(const char* what, bool holds) {
    if (holds) return;
    std::fprintf(stderr, "service_day: this did not happen: %s\n", what);
    std::exit(1);
}

void a_day(service& jobs, pgq::manual_clock& clock) {
    // A worker tells the database that it lives, beside its handlers: a long handler needs no call for that. If the
    // process dies, other workers run its jobs after the lease time.
    pgq::worker w{jobs,
                  pgq::worker_options{.lease_time = 5min, .grace = 10ms},
                  [](const app::fetch&) { count(&progress::fetched); },
                  [](const app::every_minute&, const pgq::context&) { count(&progress::minutes); },
                  [](const app::data_processing&) { count(&progress::parts); },
                  change,
                  work_in_steps};
    std::jthread working{[&](std::stop_token stop) { w.run(stop).value(); }};

    jobs.enqueue(app::fetch{"example.org/now"}).value();
    jobs.enqueue(app::fetch{"example.org/later"}, {.run_at = pgq::in(1min)}).value();
    require("one job is fetched", reaches(&progress::fetched, 1, 1min));
    clock.advance(1min);
    require("a minute later it is the other one's time", reaches(&progress::fetched, 2, 1min));
    require("the function on schedule runs", reaches(&progress::minutes, 1, 1min));

    for (int i = 0; i < 12; ++i) {
        jobs.enqueue(app::data_processing{i}).value();
        jobs.enqueue(app::shared_resource{i}).value();
    }
    require("all changes are made", reaches(&progress::changes, 12, 1min));
    require("one at a time", most_at_once == 1);
    bool all_parts = false;  // ten in each second of the clock
    for (int i = 0; i < 6000 && !all_parts; ++i) {
        clock.advance(100ms);
        all_parts = reaches(&progress::parts, 12, 10ms);
    }
    require("all parts are done", all_parts);

    const auto cancelled = jobs.enqueue(app::long_task{1'000'000'000}, {.keep_outcome = 1h}).value();
    long_task_begun.acquire();
    require("it runs", cancelled.cancel().value().stopping == 1);
    require("it ends as cancelled", cancelled.wait(1min).value().kind == pgq::end_kind::cancelled);

    (void)jobs.enqueue(app::long_task{1'000'000'000}).value();
    long_task_begun.acquire();
}  // the service stops: the destructor of jthread requests it, and waits

int main() try {
    pgq::manual_clock clock{std::chrono::sys_days{std::chrono::year{2030} / 5 / 5} + 30s};
    service jobs{pgq::driver::memory::with_clock(clock)};
    a_day(jobs, clock);
    const auto left = jobs.counts<app::long_task>().value();
    require("the long job is back, neither done nor discarded", left.ready == 1 && left.held == 0 && left.leased == 0);
    std::printf("%d fetched, %d parts, %d changes; the long job waits\n", done.fetched, done.parts, done.changes);
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "service_day: %s\n", e.info().text().c_str());
    return 1;
}
