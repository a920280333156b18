// Handles many jobs in one call: one insert stores many readings. This example keeps the jobs in memory; driver::libpq
// works the same.

#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace app {

struct reading {
    static constexpr std::string_view entrypoint = "reading";
    std::string sensor{};
    double celsius = 0;
};
struct invoice {
    static constexpr std::string_view entrypoint = "invoice";
    std::string customer{};
};

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::reading, sensor, celsius);
BOOST_HANA_ADAPT_STRUCT(app::invoice, customer);

using app_queue =
    pgq::queue<app::reading, app::invoice, pgq::driver::memory, pgq::serializer::json, pgq::executor::in_place>;

std::size_t stored = 0, calls = 0;

// No result: all jobs of the batch are done, or an exception fails all of them.
void store(std::span<const app::reading> some) {
    stored += some.size();
    ++calls;
}

// One outcome per job.
pgq::outcomes post(std::span<const app::invoice> some, pgq::batch_context& c) {
    pgq::outcomes each;
    for (std::size_t i = 0; i < some.size(); ++i) {
        if (!some[i].customer.empty()) each.emplace_back(pgq::done{});
        else each.emplace_back(pgq::hold{"nobody to send it to"});
        std::printf("invoice for '%s', attempt %d: %.*s\n", some[i].customer.c_str(), c[i].attempt(),
                    static_cast<int>(name_of(each[i].what()).size()), name_of(each[i].what()).data());
    }
    return each;
}

int main() try {
    app_queue jobs;
    std::vector<app::reading> readings;
    for (int i = 0; i < 60; ++i) readings.push_back({.sensor = "t" + std::to_string(i), .celsius = 20.0 + i});
    jobs.enqueue(readings, {.packed = true}).value();  // a row stores up to a hundred small jobs
    jobs.enqueue(std::vector<app::invoice>{{"ada"}, {}, {"grace"}}).value();

    pgq::worker_options options{.max_batch = 25, .until = pgq::run_until::empty};
    pgq::worker w{jobs, options, store, post};
    w.run().value();
    std::printf("stored %zu readings in %s calls\n", stored, calls < 10 ? "a few" : "many");
    std::printf("held: %s\n", jobs.held<app::invoice>().value().front().reason.c_str());
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "batch: %s\n", e.info().text().c_str());
    return 1;
}
