#include <pgq/driver/libpq.hpp>
#include <pgq/limiter/global_concurrency.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>

#include <cstdint>
#include <set>
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

TEST_CASE("the ids of workers are random, so a registration that a crash has undone is not repeated",
          "[integration][identities]") {
    const database db;
    test::enqueuing_session from{db.options()};
    const auto lane = from.lanes({"a"}).at(0);
    std::set<std::int32_t> ids;
    std::int64_t successors = 0;
    for (int i = 0; i < 20; ++i) {
        const auto id = test::claiming_session{db, {lane}}.id().value;
        successors += ids.contains(id - 1) ? 1 : 0;
        ids.insert(id);
    }
    CHECK(ids.size() == 20);
    CHECK(successors == 0);
    CHECK(*ids.begin() >= 1);
    CHECK(db.query_text("SELECT pg_get_serial_sequence('{q}.worker', 'id') IS NULL") == "t");
}

}  // namespace integration_identities
