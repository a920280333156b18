#include <pgq/driver/libpq.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace app {
struct greet {
    static constexpr std::string_view entrypoint = "greet";  // the name it is stored under
    std::string name{};
};
}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::greet, name);

using app_queue = pgq::queue<pgq::job<app::greet>, pgq::driver::libpq, pgq::serializer::json,
                             pgq::executor::in_place>;  // one at a time; the default is a thread for each core

// first [CONNECTION-STRING]; what that does not say, PGHOST, PGDATABASE, PGUSER ... do
int main(int argc, char** argv) try {
    app_queue jobs{pgq::driver::libpq{argc > 1 ? argv[1] : ""}};
    jobs.install().value();  // makes the tables when there are none

    const std::vector<app::greet> friends{{"Ada"}, {"Grace"}};
    jobs.enqueue(friends).value();                                // both or none, and on disk when it returns
    jobs.enqueue(app::greet{"Edsger"}, {.priority = 1}).value();  // goes first

    pgq::worker_options until_empty{.until = pgq::run_until::empty};
    pgq::worker w{jobs, until_empty, [](const app::greet& g) { std::printf("hello, %s\n", g.name.c_str()); }};
    w.run().value();
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "first: %s\n", e.info().text().c_str());
    return 1;
}
