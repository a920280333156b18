#include <pgq/driver/memory/table/limit_table.hpp>

#include "support/catch.hpp"

#include <array>
#include <chrono>
#include <span>
#include <vector>

namespace unit_driver_memory_table_limit_table {

using namespace pgq;
using namespace std::chrono_literals;
using driver::in_memory::limit_table, driver::in_memory::stored_limit;

namespace {

constexpr steady_time start{1h};

/// A rate of `amount` jobs a second.
lane_limit rate(std::int32_t amount, std::int32_t burst = 1) {
    return {.entrypoint = "job", .limit = {.kind = limit_kind::rate, .amount = amount, .per = 1s, .burst = burst}};
}
stored_limit stored(const lane_limit& l) { return {.queue = "q", .declared = l, .updated_at = start}; }

}  // namespace

TEST_CASE("a rate limit starts with one token and gains its amount a second, up to the burst",
          "[driver][memory][limit_table]") {
    stored_limit l = stored(rate(10, 5));
    CHECK(l.available(start) == Approx(1));
    CHECK(l.available(start + 100ms) == Approx(2));
    CHECK(l.available(start + 1h) == Approx(5));
    l.spend(5, start + 1h);
    CHECK(l.available(start + 1h) == Approx(0).margin(1e-9));
    CHECK(l.available(start + 1h + 200ms) == Approx(2));
    CHECK(l.available(start) == Approx(0).margin(1e-9));
}

TEST_CASE("the wait of a rate limit lasts until a quarter of the burst is available", "[driver][memory][limit_table]") {
    stored_limit l = stored(rate(10, 40));
    l.spend(1, start);
    CHECK(l.wait_after(0, start) >= 999ms);
    CHECK(l.wait_after(0, start) <= 1001ms);
    CHECK(l.wait_after(5, start) >= 1499ms);
    CHECK(l.wait_after(0, start + 10s) == 1ms);
}

TEST_CASE("a rate limit of zero allows no job and waits for an hour", "[driver][memory][limit_table]") {
    const stored_limit l = stored(rate(0, 40));
    CHECK(l.available(start + 1h) == 0);
    CHECK(l.wait_after(0, start) == 1h);
}

TEST_CASE("the first declaration of a limit stays until it is changed", "[driver][memory][limit_table]") {
    limit_table table;
    const std::array first{rate(10, 5)}, second{rate(20, 9)};
    CHECK(table.declare("q", first, start) == std::vector<lane_limit>{first[0]});
    CHECK(table.declare("q", second, start) == std::vector<lane_limit>{first[0]});
    CHECK(table.declare("other", second, start) == std::vector<lane_limit>{second[0]});
    CHECK(table.change("q", rate(1, 1)));
    CHECK_FALSE(table.change("unknown", rate(1, 1)));
    CHECK(table.declare("q", {}, start) == std::vector<lane_limit>{rate(1, 1)});
}

TEST_CASE("a lower burst drops the tokens above it", "[driver][memory][limit_table]") {
    limit_table table;
    const std::array ten{rate(1, 10)};
    (void)table.declare("q", ten, start);
    stored_limit& l = *table.of("q", "job").at(0);
    l.spend(0, start + 1h);
    CHECK(l.tokens == Approx(10));
    CHECK(table.change("q", rate(1, 2)));
    CHECK(l.tokens == Approx(2));
}

TEST_CASE("a limit without an entrypoint applies to all lanes of its queue", "[driver][memory][limit_table]") {
    limit_table table;
    lane_limit all = rate(1);
    all.entrypoint.clear();
    const std::array limits{rate(1), all};
    (void)table.declare("q", limits, start);
    CHECK(table.of("q", "job").size() == 2);
    CHECK(table.of("q", "other").size() == 1);
    CHECK(table.of("other", "job").empty());
}

}  // namespace unit_driver_memory_table_limit_table
