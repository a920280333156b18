#include <pgq/protocol/rank.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace unit_protocol_rank {

using pgq::rank;

namespace {

constexpr std::int16_t lowest = std::numeric_limits<std::int16_t>::min();
constexpr std::int16_t highest = std::numeric_limits<std::int16_t>::max();

}  // namespace

TEST_CASE("a rank returns the priority and deadline that it was made from", "[job][rank]") {
    for (const std::int16_t priority : {lowest, std::int16_t{-1}, std::int16_t{0}, std::int16_t{1}, highest})
        for (const std::int64_t deadline : {std::int64_t{0}, std::int64_t{1767225600000}, rank::no_deadline}) {
            const auto r = rank::of(priority, deadline);
            CHECK(r.priority() == priority);
            CHECK(r.deadline_ms() == deadline);
        }
}

TEST_CASE("ranks sort by priority, then by deadline, and ranks without a deadline come last", "[job][rank]") {
    std::vector<std::pair<std::int16_t, std::int64_t>> in_order;
    for (const std::int16_t priority : {highest, std::int16_t{5}, std::int16_t{0}, std::int16_t{-5}, lowest})
        for (const std::int64_t deadline : {std::int64_t{0}, std::int64_t{7}, rank::no_deadline - 1, rank::no_deadline})
            in_order.emplace_back(priority, deadline);
    for (std::size_t i = 1; i < in_order.size(); ++i) {
        const auto [p, d] = in_order[i - 1];
        const auto [q, e] = in_order[i];
        INFO(p << ' ' << d << " before " << q << ' ' << e);
        CHECK(rank::of(p, d) < rank::of(q, e));
        CHECK(rank::of(p, d).value < rank::of(q, e).value);  // as the database compares them
    }
}

TEST_CASE("a deadline out of the range of a rank becomes the nearest limit", "[job][rank]") {
    CHECK(rank::of(3, -1) == rank::of(3, 0));
    CHECK(rank::of(3, std::numeric_limits<std::int64_t>::min()) == rank::of(3, 0));
    CHECK(rank::of(3, std::numeric_limits<std::int64_t>::max()) == rank::of(3));
    CHECK(rank::of(lowest, std::numeric_limits<std::int64_t>::max()).priority() == lowest);
}

TEST_CASE("no rank is smaller than the cursor of a new worker", "[job][rank]") {
    CHECK(rank::of(highest, 0).value == std::numeric_limits<std::int64_t>::min());
    CHECK(rank::of(lowest).value == std::numeric_limits<std::int64_t>::max());
}

}  // namespace unit_protocol_rank
