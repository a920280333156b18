// Cancels jobs that wait and jobs that run, and lets a job expire. This example keeps the jobs in memory; driver::libpq
// works the same, also if the jobs run on other machines.

#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <latch>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace app {

struct film {
    static constexpr std::string_view entrypoint = "film";
    std::string name{};
};

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::film, name);

using app_queue = pgq::queue<app::film, pgq::driver::memory, pgq::serializer::json>;

std::latch encoding{1};

// A long job. While the handler waits for the next frame, it also waits for its stop token. throw_if_stopping() throws
// when the token has fired. The worker knows that exception, and knows why: a cancelled job ends as cancelled, and at a
// shutdown the job goes back to the queue.
void encode(const app::film&, pgq::context& c) {
    encoding.count_down();
    std::mutex m;
    std::condition_variable_any frame;
    std::unique_lock lock{m};
    frame.wait(lock, c.stop_token(), [] { return false; });
    c.throw_if_stopping();
}

void look_at(app_queue& jobs, pgq::job_id id) {
    const auto job = jobs.find_one<app::film>(id).value();
    if (!job) std::printf("nothing is known of it\n");
    else if (job->state == pgq::job_state::leased)
        std::printf("a worker has film %s, attempt %d\n", job->payload->name.c_str(), job->attempts);
}

void cancel_jobs(app_queue& jobs, const pgq::worker_options& options) {
    const std::vector<app::film> films{{"one"}, {"two"}, {"three"}};
    const auto waiting = jobs.enqueue(films).value();
    const auto cancelled = waiting.cancel().value();
    std::printf("waiting: %d removed\n", static_cast<int>(cancelled.removed));

    pgq::worker w{jobs, options, encode};
    std::jthread working{[&](std::stop_token stop) { w.run(stop).value(); }};
    const auto running = jobs.enqueue(app::film{"four"}, {.keep_outcome = 1min}).value();
    encoding.wait();
    look_at(jobs, running.id());
    const auto asked = running.cancel().value();
    std::printf("running: %d told to stop\n", static_cast<int>(asked.stopping));
    std::printf("it was %s\n", name_of(running.wait(10s).value().kind).data());
}

void let_one_expire(app_queue& jobs) {
    const auto h = jobs.enqueue(app::film{"five"}, {.expires_at = pgq::in(20ms), .keep_outcome = 1min}).value();
    std::printf("without a worker: %s\n", name_of(h.wait(10s).value().kind).data());
}

int main() try {
    app_queue jobs;
    cancel_jobs(jobs, {});
    let_one_expire(jobs);
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "cancel: %s\n", e.info().text().c_str());
    return 1;
}
