// run:
// Reads what became of jobs: throughput, percentiles, outcomes, failures, and what waits. This example keeps the jobs
// in memory; driver::libpq works the same, with the numbers of all workers of all machines.

#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

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

// The end of each report is known for a day.
using app_queue = pgq::queue<app::mail, pgq::job<app::report, pgq::keep_outcome<std::chrono::hours{24}>>,
                             pgq::driver::memory, pgq::serializer::json>;

namespace {

using namespace std::chrono_literals;

void last_hour(app_queue& jobs) {
    const pgq::job_statistics mails = jobs.statistics<app::mail>({.last = 1h}).value();
    std::printf("%lld mails sent, %lld failed for good, %.1f a second\n", static_cast<long long>(mails.done),
                static_cast<long long>(mails.held), mails.throughput(1h));
    if (const auto p99 = mails.wait.percentile(0.99))
        std::printf("99 %% waited for less than about %lld ms\n", static_cast<long long>(*p99 / 1ms) + 1);
    for (const auto& [entrypoint, s] : jobs.statistics_by_entrypoint({.last = 1h}).value())
        std::printf("%s: %lld jobs ended\n", entrypoint.c_str(), static_cast<long long>(s.finished()));
}

void chart(app_queue& jobs) {
    for (const auto& part : jobs.statistics_series<app::mail>({.last = 24h}, 5min).value())
        std::printf("%lld mails in five minutes\n", static_cast<long long>(part.done));
}

void what_waits(app_queue& jobs) {
    const pgq::capped_counts mails = jobs.counts_up_to<app::mail>(10'000).value();
    std::printf("%s mails wait", mails.ready.text().c_str());  // "12", or "10 000+"
    if (mails.oldest_ready) std::printf(", the oldest for %lld s", static_cast<long long>(*mails.oldest_ready / 1s));
    std::puts("");
}

void what_failed(app_queue& jobs) {
    for (const pgq::job_failure& f : jobs.latest_failures(20).value())
        std::printf("%s %lld, attempt %d: %s\n", f.entrypoint.c_str(), static_cast<long long>(f.id.value), f.attempt,
                    f.reason.c_str());
}

}  // namespace

int main() try {
    app_queue jobs;
    jobs.keep_failures<app::mail>(24h * 30).value();  // not 14 days
    jobs.keep_failures<app::report>(0s).value();      // none
    for (const auto* to : {"ada@example.org", "grace@example.org", ""}) (void)jobs.enqueue(app::mail{to}).value();
    (void)jobs.enqueue(app::report{5}).value();
    const pgq::worker_options until_empty{.until = pgq::run_until::empty};
    pgq::worker w{jobs, until_empty,
                  [](const app::mail& m) -> pgq::outcome {
                      if (m.to.empty()) return pgq::hold{"no address"};
                      return pgq::done{};
                  },
                  [](const app::report&) {}};
    w.run().value();
    (void)jobs.enqueue(app::mail{"alan@example.org"}).value();
    last_hour(jobs);
    chart(jobs);
    what_waits(jobs);
    what_failed(jobs);
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "statistics: %s\n", e.info().text().c_str());
    return EXIT_FAILURE;
}
