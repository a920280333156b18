// Runs a job on the memory driver.

#include <pgq/driver/libpq.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <libpq-fe.h>

#include <cstdio>
#include <string>
#include <string_view>

namespace app {
struct greet {
    static constexpr std::string_view entrypoint = "greet";
    std::string name{};
};
}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::greet, name);

// With pgq::driver::libpq and a connection string, the job would be in PostgreSQL.
using app_queue = pgq::queue<pgq::job<app::greet>, pgq::driver::memory, pgq::serializer::json, pgq::executor::in_place>;

int main() try {
    app_queue jobs{pgq::driver::memory{}};
    jobs.enqueue(app::greet{"Ada"}).value();

    pgq::worker_options until_empty{.until = pgq::run_until::empty};
    pgq::worker w{jobs, until_empty, [](const app::greet& g) { std::printf("hello, %s\n", g.name.c_str()); }};
    w.run().value();
    return PQlibVersion() > 0 ? 0 : 1;
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "consumer: %s\n", e.info().text().c_str());
    return 1;
}
