#pragma once

#include <pgq/pgq.hpp>

#include <cstdlib>
#include <string>
#include <string_view>

namespace consumer {

struct greet {
    static constexpr std::string_view entrypoint = "greet";
    std::string name{};
};

/// Enqueues a job, runs it, and says whether its handler got what was enqueued.
template <class Queue>
bool run_job(Queue& jobs) {
    jobs.enqueue(greet{"Ada"}).value();
    std::string seen;
    pgq::worker_options until_empty{.until = pgq::run_until::empty};
    pgq::worker w{jobs, until_empty, [&](const greet& g) { seen += g.name; }};
    w.run().value();
    return seen == "Ada";
}

/// The database of the test and a schema of its own; null if there is none.
inline const char* dsn() { return std::getenv("PGQ_DSN"); }
inline std::string schema() {
    const char* const name = std::getenv("CONSUMER_SCHEMA");
    return name == nullptr ? "pgq_consumer" : name;
}

}  // namespace consumer

BOOST_HANA_ADAPT_STRUCT(consumer::greet, name);
