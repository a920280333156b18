#include <pgq/driver/libpq.hpp>
#include <pgq/limiter/global_concurrency.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>

#include <string>

namespace integration_identities {

using test::database;
using test::note;

TEST_CASE("workers that start use up no numbers of lanes and limits", "[integration][identities]") {
    const database db;
    using limited = pgq::queue<pgq::job<note, pgq::limiter::global_concurrency<3>>, pgq::driver::libpq,
                               pgq::serializer::json, pgq::executor::thread_pool, test::event_counts>;
    const auto numbers = [&] {
        return db.query_text(
            "SELECT string_agg(coalesce(pg_sequence_last_value(to_regclass(s))::text, '-'), ' ')"
            " FROM (VALUES (pg_get_serial_sequence('{q}.lane', 'id')),"
            " (pg_get_serial_sequence('{q}.lane_limit', 'id'))) v(s)");
    };
    for (int i = 0; i < 3; ++i) {
        limited jobs{db.driver()};
        (void)jobs.enqueue(note{}).value();
        test::run_until_empty(jobs, {}, [](const note&) {});
        CHECK(numbers() == "1 1");
    }
}

TEST_CASE("the numbers of workers begin again after the last one", "[integration][identities]") {
    const database db;
    test::enqueuing_session from{db.options()};
    const auto lane = from.lanes({"a"}).at(0);
    db.exec("ALTER TABLE {s}.worker ALTER id RESTART WITH 2147483647");
    test::claiming_session last{db, {lane}};
    CHECK(last.id().value == 2147483647);
    test::claiming_session next{db, {lane}};
    CHECK(next.id().value == 1);
    (void)from.enqueue(lane, {"1"});
    CHECK(next.claim(1).claimed() == 1);
}

}  // namespace integration_identities
