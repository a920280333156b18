// run:
// Pauses an entrypoint while a worker runs, and drains a queue. This example keeps the jobs in memory; driver::libpq
// works the same, for all workers and producers of all machines.

#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace app {

struct mail {
    static constexpr std::string_view entrypoint = "mail";
    std::string to{};
};
struct report {
    static constexpr std::string_view entrypoint = "report";
    int month = 0;
};

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::mail, to);
BOOST_HANA_ADAPT_STRUCT(app::report, month);

/// Writes to standard error what is paused and resumed, among other events.
using log_to_stderr = pgq::observer::log<>;
using app_queue = pgq::queue<app::mail, app::report, pgq::driver::memory, pgq::serializer::json, log_to_stderr>;

namespace {

std::atomic<int> sent{0};

// No mail starts until resume<app::mail>(). Reports go on.
void during_maintenance(app_queue& jobs) {
    jobs.pause<app::mail>("the mail server moves").value();
    (void)jobs.enqueue(app::mail{"ada@example.org"}).value();  // waits
    for (const pgq::paused_scope& p : jobs.paused().value())
        std::printf("%s is paused: %s\n", p.entrypoint.c_str(), p.reason.c_str());
    const pgq::lane_counts mails = jobs.counts<app::mail>().value();
    std::printf("%d waits, paused: %s\n", static_cast<int>(mails.ready), mails.paused ? "yes" : "no");
    jobs.resume<app::mail>().value();  // workers claim it at once
}

// The queue takes no new jobs and empties itself.
void before_the_end(app_queue& jobs) {
    jobs.drain("use the queue \"letters\"").value();
    const auto refused = jobs.enqueue(app::mail{"grace@example.org"});
    if (!refused && refused.error() == pgq::errc::draining) std::puts(refused.error().message.c_str());
    jobs.resume().value();
}

}  // namespace

int main() try {
    app_queue jobs;
    pgq::worker w{jobs, [](const app::mail&) { ++sent; }, [](const app::report&) {}};
    std::jthread thread{[&](std::stop_token stop) { w.run(std::move(stop)).value(); }};
    during_maintenance(jobs);
    while (sent == 0) std::this_thread::yield();
    before_the_end(jobs);
    thread.request_stop();
    thread.join();
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "pausing: %s\n", e.info().text().c_str());
    return EXIT_FAILURE;
}
