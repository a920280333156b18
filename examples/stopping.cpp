// Long jobs that end early: a handler of several steps is cancelled, exceeds its time, and meets a shutdown. In each
// case its job goes where it should, and a half-done job is never recorded as done. This example keeps the jobs in
// memory; driver::libpq works the same.

#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <semaphore>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

using namespace std::chrono_literals;

namespace app {

struct import_file {
    static constexpr std::string_view entrypoint = "import_file";
    std::string name{};
    int steps = 1'000'000;
};

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::import_file, name, steps);

using app_queue = pgq::queue<pgq::job<app::import_file, pgq::executor::timeout<2s>>, pgq::driver::memory,
                             pgq::serializer::json, pgq::backoff::fixed>;

std::binary_semaphore started{0};

// Works for a millisecond, or until the token fires.
void step(const std::stop_token& stop) {
    std::mutex m;
    std::condition_variable_any done;
    std::unique_lock lock{m};
    done.wait_for(lock, stop, 1ms, [] { return false; });
}

// Between its steps, the handler asks whether it should stop. throw_if_stopping() throws pgq::stopping, and the worker
// does with the job what the reason asks for.
void import(const app::import_file& job, pgq::context& c) {
    started.release();
    for (int i = 0; i < job.steps; ++i) {
        c.throw_if_stopping();
        step(c.stop_token());
    }
}

// A handler that must clean up: it catches the exception, and throws it again.
void import_and_clean_up(const app::import_file& job, pgq::context& c) {
    try {
        import(job, c);
    } catch (const pgq::stopping& why) {
        std::printf("%s: undone, %s\n", job.name.c_str(), why.what());
        throw;
    }
}

// A handler that returns an outcome instead of throwing. What it returns counts: done{} would lose the other steps.
pgq::outcome import_or_say_why(const app::import_file& job, const pgq::context& c) {
    started.release();
    for (int i = 0; i < job.steps; ++i) {
        switch (c.stop_reason()) {
        case pgq::stop_reason::none: break;
        case pgq::stop_reason::shutdown: return pgq::release{};  // back in the queue; the attempt does not count
        case pgq::stop_reason::cancelled:
        case pgq::stop_reason::schedule_overlap: return pgq::retry_after{};  // ends as cancelled, not tried again
        case pgq::stop_reason::timeout: return pgq::retry_after{1min, "too slow"};  // a failed attempt
        case pgq::stop_reason::lease_lost:
        case pgq::stop_reason::other: return pgq::retry_after{1min, "asked to stop"};
        }
        step(c.stop_token());
    }
    return pgq::done{};
}

void print(app_queue& jobs, const char* when) {
    const auto n = jobs.counts<app::import_file>().value();
    std::printf("%s: %d jobs wait, %d run\n", when, static_cast<int>(n.ready + n.deferred), static_cast<int>(n.leased));
}

template <class Handler>
void stop_while_it_runs(app_queue& jobs, Handler handler) {
    pgq::worker w{jobs, pgq::worker_options{.grace = 20ms}, handler};
    std::jthread working{[&](std::stop_token stop) { w.run(stop).value(); }};
    started.acquire();
}  // the destructor of jthread requests the stop, and waits

int main() try {
    app_queue jobs;
    const auto cancelled = jobs.enqueue(app::import_file{"a.csv"}, {.keep_outcome = 1min}).value();
    {
        pgq::worker w{jobs, pgq::worker_options{}, import_and_clean_up};
        std::jthread working{[&](std::stop_token stop) { w.run(stop).value(); }};
        started.acquire();
        (void)cancelled.cancel().value();
        std::printf("a.csv was %s\n", name_of(cancelled.wait(10s).value().kind).data());
        (void)jobs.enqueue(app::import_file{"b.csv"}).value();
        started.acquire();
        while (jobs.counts<app::import_file>().value().deferred == 0) std::this_thread::yield();
    }
    print(jobs, "after the time limit");

    (void)jobs.enqueue(app::import_file{"c.csv"}).value();
    stop_while_it_runs(jobs, import);
    print(jobs, "after a shutdown");
    stop_while_it_runs(jobs, import_or_say_why);
    print(jobs, "after another one");
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "stopping: %s\n", e.info().text().c_str());
    return 1;
}
