// Handles jobs that failed for good. The queue holds them with their history; the program finds them by their headers
// and requeues or removes them. Or the queue moves them to a dead-letter queue, which another worker consumes. This
// example keeps the jobs in memory; driver::libpq works the same.

#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <array>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

namespace app {

struct invoice {
    static constexpr std::string_view entrypoint = "invoice";
    int number = 0;
};

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::invoice, number);

using app_queue = pgq::queue<app::invoice, pgq::driver::memory, pgq::serializer::json, pgq::executor::in_place>;

constexpr pgq::worker_options once{.max_attempts = 1, .until = pgq::run_until::empty};

void enqueue(app_queue& jobs, int number, std::string_view tenant) {
    const std::array headers{pgq::header{"tenant", tenant}};
    jobs.enqueue(app::invoice{number}, {.headers = headers}).value();
}

void requeue_or_remove(app_queue& jobs) {
    enqueue(jobs, 1, "acme");
    enqueue(jobs, 2, "acme");
    enqueue(jobs, 3, "umbrella");
    pgq::worker failing{jobs, once, [](const app::invoice&) { throw std::runtime_error{"no printer"}; }};
    failing.run().value();

    const auto held = jobs.find_all<app::invoice>({}, pgq::job_state::held).value();
    const auto history = jobs.failures(held.front()).value();
    std::printf("%d held, the first: %s\n", static_cast<int>(held.size()), history.front().reason.c_str());

    using pgq::header_of;
    std::printf("%d requeued\n",
                static_cast<int>(jobs.requeue_all<app::invoice>(header_of("tenant") == "acme").value()));
    std::printf("%d removed\n",
                static_cast<int>(jobs.cancel_all<app::invoice>({}, pgq::job_state::held).value().removed));
    pgq::worker printing{jobs, once, [](const app::invoice& i) { std::printf("invoice %d\n", i.number); }};
    printing.run().value();
}

void route_dead_letters(app_queue& jobs, app_queue& dead) {
    jobs.dead_letters<app::invoice>("dead").value();
    enqueue(jobs, 4, "acme");
    pgq::worker failing{jobs, once, [](const app::invoice&) { throw std::runtime_error{"no paper"}; }};
    failing.run().value();

    pgq::worker consumer{dead, once, [](const app::invoice& i, pgq::context& c) {
                             const std::string why{c.header_value("pgq-died-of").value_or("?")};
                             std::printf("invoice %d: %s\n", i.number, why.c_str());
                         }};
    consumer.run().value();
}

int main() try {
    const pgq::driver::memory store;
    app_queue jobs{store}, dead{store, {.name = "dead"}};
    requeue_or_remove(jobs);
    route_dead_letters(jobs, dead);
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "dead_letters: %s\n", e.info().text().c_str());
    return 1;
}
