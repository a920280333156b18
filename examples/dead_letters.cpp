// What becomes of jobs that failed for good: they are kept with their history, found by their headers, tried again or dropped; or they go
// to a queue of dead letters, which is consumed like any other. Jobs live in memory here; with driver::libpq it is the same.

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

void look_after(app_queue& jobs) {
    enqueue(jobs, 1, "acme");
    enqueue(jobs, 2, "acme");
    enqueue(jobs, 3, "umbrella");
    pgq::worker failing{jobs, once, [](const app::invoice&) { throw std::runtime_error{"no printer"}; }};
    failing.run().value();

    const auto held = jobs.find_all<app::invoice>({}, pgq::job_place::held).value();
    const auto history = jobs.failures(held.front()).value();
    std::printf("%d held, the first: %s\n", static_cast<int>(held.size()), history.front().reason.c_str());

    using pgq::header_of;
    std::printf("%d again\n", static_cast<int>(jobs.requeue_all<app::invoice>(header_of("tenant") == "acme").value()));
    std::printf("%d dropped\n",
                static_cast<int>(jobs.cancel_all<app::invoice>({}, pgq::job_place::held).value().removed));
    pgq::worker printing{jobs, once, [](const app::invoice& i) { std::printf("invoice %d\n", i.number); }};
    printing.run().value();
}

void bury(app_queue& jobs, app_queue& graveyard) {
    jobs.dead_letters<app::invoice>("graveyard").value();
    enqueue(jobs, 4, "acme");
    pgq::worker failing{jobs, once, [](const app::invoice&) { throw std::runtime_error{"no paper"}; }};
    failing.run().value();

    pgq::worker undertaker{graveyard, once, [](const app::invoice& i, pgq::context& c) {
                               const std::string why{c.header_value("pgq-died-of").value_or("?")};
                               std::printf("invoice %d: %s\n", i.number, why.c_str());
                           }};
    undertaker.run().value();
}

int main() try {
    const pgq::driver::memory store;
    app_queue jobs{store}, graveyard{store, {.name = "graveyard"}};
    look_after(jobs);
    bury(jobs, graveyard);
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "dead_letters: %s\n", e.info().text().c_str());
    return 1;
}
