#include <pgq/driver/libpq.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace app {
struct greet {
    static constexpr std::string_view entrypoint = "greet";  // the database stores this name
    std::string name{};
};
}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::greet, name);

using app_queue = pgq::queue<pgq::job<app::greet>, pgq::driver::libpq, pgq::serializer::json,
                             pgq::executor::in_place>;  // one job at a time; the default is one thread per core

// first [CONNECTION-STRING]; PGHOST, PGDATABASE, PGUSER ... give what the string leaves out
int main(int argc, char** argv) try {
    app_queue jobs{pgq::driver::libpq{argc > 1 ? argv[1] : ""}};
    jobs.install().value();  // creates missing tables

    const std::vector<app::greet> friends{{"Ada"}, {"Grace"}};
    jobs.enqueue(friends).value();                                // both or none; on disk when it returns
    jobs.enqueue(app::greet{"Edsger"}, {.priority = 1}).value();  // runs first

    pgq::worker_options until_empty{.until = pgq::run_until::empty};
    pgq::worker w{jobs, until_empty, [](const app::greet& g) { std::printf("hello, %s\n", g.name.c_str()); }};
    w.run().value();
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "first: %s\n", e.info().text().c_str());
    return 1;
}
