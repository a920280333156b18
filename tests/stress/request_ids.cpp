#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/proxy.hpp>

#include <chrono>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <thread>

namespace stress_request_ids {

using test::database;
using test::note;

TEST_CASE("after a thousand random cuts there is one job for each request id", "[stress][slow][request_id]") {
    const database db;
    test::proxy between;
    test::note_queue<> jobs{pgq::driver::libpq{between.options(db)}};
    (void)jobs.lanes().value();
    std::mt19937 random{20'240'229};
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    int first_time = 0;
    std::set<std::int64_t> ids;
    for (int i = 0; i < 1000; ++i) {
        const std::string id = "request " + std::to_string(i);
        std::jthread cutter;
        switch (below(3)) {
        case 0: between.close_after_answers(below(3)); break;
        case 1: between.close_after(below(4)); break;
        default:
            cutter = std::jthread{[&between, pause = std::chrono::microseconds{below(3000)}] {
                (void)test::always(pause, [] { return true; });
                between.cut();
            }};
        }
        auto put = jobs.enqueue(note{.n = i}, {.request_id = id});
        first_time += put.has_value() ? 1 : 0;
        REQUIRE(test::eventually([&] { return put || (put = jobs.enqueue(note{.n = i}, {.request_id = id})); }));
        ids.insert(pgq::job_id{*put}.value);
    }
    CHECK(first_time > 900);
    CHECK(ids.size() == 1000);
    CHECK(db.rows("ready") == 1000);
    CHECK(db.query_int("SELECT count(DISTINCT body) FROM {s}.ready") == 1000);
    for (const auto id : {*ids.begin(), *ids.rbegin()})
        CHECK(db.query_int("SELECT count(*) FROM {s}.ready WHERE id = " + std::to_string(id)) == 1);
}

}  // namespace stress_request_ids
