#include <pgq/driver/libpq.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace integration_rescue_portions {

namespace {

constexpr std::size_t mebibyte = 1U << 20U;

/// Workers that have claimed large jobs, each lease of one job, and then died.
class dead_workers {
public:
    explicit dead_workers(const test::database& db) : db_{db}, lane_{client_.lanes({"job"}).at(0)} {}

    void die_with(std::size_t jobs, std::size_t bytes) {
        (void)client_.enqueue(lane_, std::vector<std::string>(jobs, std::string(bytes, 'x')));
        test::claiming_session worker{db_, {lane_}};
        for (std::size_t i = 0; i < jobs; ++i) REQUIRE(worker.claim(1).claimed() == 1);
        db_.exec("DELETE FROM {s}.worker WHERE id = " + std::to_string(worker.id().value));
    }
    std::int64_t rescue() { return client_.line().rescue().value().returned; }
    std::int64_t ready() { return client_.ready(lane_); }

private:
    const test::database& db_;
    test::enqueuing_session client_{db_.options()};
    pgq::lane_id lane_;
};

}  // namespace

TEST_CASE("a rescue takes a portion of what many dead workers have left, and the next ones take the rest",
          "[integration][rescue]") {
    const test::database db;
    dead_workers dead{db};
    for (int i = 0; i < 3; ++i) dead.die_with(2, 5 * mebibyte);
    CHECK(dead.rescue() == 4);
    CHECK(dead.rescue() == 2);
    CHECK(dead.rescue() == 0);
    CHECK(dead.ready() == 6);
}

TEST_CASE("a rescue takes all jobs of one dead worker together, so that no neighbour counts as the culprit",
          "[integration][rescue]") {
    const test::database db;
    dead_workers dead{db};
    dead.die_with(5, 7 * mebibyte);
    CHECK(dead.rescue() == 5);
    CHECK(db.query_text("SELECT string_agg(DISTINCT attempts::text, ',') FROM {s}.ready") == "0");
}

TEST_CASE("a rescue takes a worker apart that held more than 64 MiB", "[integration][rescue]") {
    const test::database db;
    dead_workers dead{db};
    dead.die_with(7, 12 * mebibyte);
    CHECK(dead.rescue() == 6);
    CHECK(dead.rescue() == 1);
    CHECK(dead.ready() == 7);
}

}  // namespace integration_rescue_portions
