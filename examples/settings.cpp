// run:
// How often a job is tried, how long it may run, and when it starts: settings of one job, of a job type, of a queue.
// This example keeps the jobs in memory; driver::libpq works the same.

#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

namespace app {

struct send_sms {
    static constexpr std::string_view entrypoint = "send_sms";
    std::string to{};
};
struct make_report {
    static constexpr std::string_view entrypoint = "make_report";
    std::string month{};
};

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::send_sms, to);
BOOST_HANA_ADAPT_STRUCT(app::make_report, month);

namespace app {

using app_queue = pgq::queue<
    // three attempts of 10 s; nobody wants a code that is an hour old; before all other jobs
    pgq::job<send_sms, pgq::attempts<3>, pgq::timeout<10s>, pgq::expires_in<1h>, pgq::priority<10>>,
    // starts a minute after its enqueue; its end can be read for a day
    pgq::job<make_report, pgq::delay<1min>, pgq::keep_outcome<24h>>,
    // for both, where they have nothing of their own
    pgq::attempts<5>, pgq::timeout<1min>,  //
    pgq::driver::memory, pgq::serializer::json, pgq::backoff::none>;

// Waits for figures that never come, until the stop token fires.
void wait_for_figures(const pgq::context& c) {
    std::mutex mutex;
    std::condition_variable_any figures;
    std::unique_lock lock{mutex};
    (void)figures.wait(lock, c.stop_token(), [] { return false; });
}

}  // namespace app

int main() try {
    app::app_queue jobs;

    jobs.enqueue(app::send_sms{"+44 1"}).value();                       // as its type says
    jobs.enqueue(app::send_sms{"+44 2"}, {.max_attempts = 1}).value();  // this one is tried once
    jobs.enqueue(app::make_report{"May"}, {.run_at = pgq::in(0s), .max_attempts = 2, .timeout = 20ms}).value();

    const auto send = [](const app::send_sms& m, pgq::context&) { throw std::runtime_error{"no network for " + m.to}; };
    const auto report = [](const app::make_report&, pgq::context& c) { app::wait_for_figures(c); };
    pgq::worker_options until_empty{.max_attempts = 20, .until = pgq::run_until::empty};  // for types without a setting
    pgq::worker w{jobs, until_empty, send, report};
    w.run().value();

    for (const auto& job : jobs.held<app::send_sms>().value()) std::printf("sms: %s\n", job.reason.c_str());
    const auto reports = jobs.held<app::make_report>().value();
    for (const auto& job : reports) std::printf("report: %s\n", job.reason.c_str());
    return reports.size() == 1 && reports[0].reason == "attempt 2 of 2 failed: timed out after 20 ms" ? 0 : 1;
} catch (const std::exception& e) {
    std::fprintf(stderr, "settings: %s\n", e.what());
    return 1;
}
