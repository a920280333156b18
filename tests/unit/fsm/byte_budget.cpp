#include <pgq/fsm/byte_budget.hpp>

#include <support/catch.hpp>

#include <chrono>
#include <optional>

namespace fsm_byte_budget {

using namespace std::chrono_literals;
using pgq::fsm::byte_budget;

constexpr std::size_t mega = 1U << 20U;
const pgq::steady_time start{1h};

TEST_CASE("a claim counts bytes until one has found no large payloads, and again after 100 ms", "[fsm][byte_budget]") {
    byte_budget b{16 * mega};
    CHECK(b.must_count(1000, 0, start));
    b.answered(std::nullopt, start);  // the driver did not look
    CHECK(b.must_count(1000, 0, start));
    b.answered(false, start);
    CHECK_FALSE(b.must_count(1000, 0, start));
    CHECK_FALSE(b.must_count(1000, 0, start + 99ms));
    CHECK(b.must_count(1000, 0, start + 100ms));
}

TEST_CASE("while there are large payloads, each claim counts bytes", "[fsm][byte_budget]") {
    byte_budget b{16 * mega};
    b.answered(false, start);
    b.answered(true, start + 1ms);
    CHECK(b.must_count(10, 0, start + 2ms));
    b.answered(true, start + 2ms);
    CHECK(b.must_count(10, 0, start + 3ms));
    b.answered(false, start + 3ms);
    CHECK_FALSE(b.must_count(10, 0, start + 4ms));
}

TEST_CASE("a claim counts bytes when small payloads alone could be too many", "[fsm][byte_budget]") {
    byte_budget b{mega};
    b.answered(false, start);
    CHECK_FALSE(b.must_count(512, 0, start));
    CHECK(b.must_count(513, 0, start));
    CHECK(b.must_count(257, mega / 2, start));
}

TEST_CASE("a claim of one job need not count: the first job is taken whatever its size", "[fsm][byte_budget]") {
    byte_budget b{mega};
    CHECK_FALSE(b.must_count(1, 0, start));
    CHECK_FALSE(b.must_count(1, mega - 1, start));
    CHECK(b.must_count(2, 0, start));
    b.answered(true, start);
    CHECK_FALSE(b.must_count(1, 0, start));
}

TEST_CASE("the budget is what the held payloads leave", "[fsm][byte_budget]") {
    const byte_budget b{mega};
    CHECK(b.left(0) == mega);
    CHECK(b.left(mega - 1) == 1);
    CHECK(b.left(2 * mega) == 0);
    CHECK_FALSE(b.is_used_up(mega - 1));
    CHECK(b.is_used_up(mega));
}

}  // namespace fsm_byte_budget
