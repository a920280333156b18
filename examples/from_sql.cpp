// from_sql sql|work [CONNECTION-STRING]: runs jobs that a trigger enqueues. The trigger is in from_sql.sql.
//
//     from_sql sql | psql -1 -v ON_ERROR_STOP=1     creates the tables and the functions
//     psql -f from_sql.sql                          creates a table whose trigger calls one of the functions
//     from_sql work                                 runs the enqueued jobs

#include <pgq/driver/libpq.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/sql_functions.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shop {

struct ship_order {
    static constexpr std::string_view entrypoint = "ship_order";
    std::int64_t order = 0;
    std::string customer{};
    std::vector<std::string> items{};
    bool express = false;
    std::optional<std::string> note{};
    std::chrono::sys_seconds ordered_at{};
};

}  // namespace shop
BOOST_HANA_ADAPT_STRUCT(shop::ship_order, order, customer, items, express, note, ordered_at);

using shop_queue =
    pgq::queue<pgq::job<shop::ship_order>, pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place>;

int main(int argc, char** argv) try {
    const std::string_view what = argc > 1 ? argv[1] : "";
    const char* dsn = argc > 2 ? argv[2] : std::getenv("PGQ_DSN");
    shop_queue jobs{pgq::driver::libpq{dsn == nullptr ? "" : dsn}};
    jobs.install().value();

    if (what == "sql") {
        const auto script = pgq::sql_functions<shop_queue>({.grant_to = {"PUBLIC"}}).value();
        std::fputs(script.c_str(), stdout);
    } else if (what == "work") {
        pgq::worker w{jobs, {.until = pgq::run_until::empty}, [](const shop::ship_order& o) {
                          std::printf("order %lld: %zu items to %s%s%s\n", static_cast<long long>(o.order),
                                      o.items.size(), o.customer.c_str(), o.express ? ", express" : "",
                                      o.note ? (", " + *o.note).c_str() : "");
                      }};
        w.run().value();
    } else {
        std::fputs("usage: from_sql sql|work [CONNECTION-STRING]\n", stderr);
        return 2;
    }
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "from_sql: %s\n", e.info().text().c_str());
    return 1;
}
