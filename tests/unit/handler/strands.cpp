#include <pgq/handler/strands.hpp>

#include "support/catch.hpp"

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

namespace unit_handler_strands {

namespace {

struct owner {
    std::atomic<std::uint32_t> in_line{0};
};

/// Has an order and no hash.
struct version {
    int major = 0;
    friend bool operator<(const version& a, const version& b) { return a.major < b.major; }
};

static_assert(pgq::detail::hashable<std::string> && pgq::detail::orderable<version>);
static_assert(!pgq::detail::hashable<version> && !pgq::detail::orderable<owner>);

}  // namespace

TEMPLATE_TEST_CASE("of jobs with equal keys one runs, and the others follow in their order", "[handler][strands]", int,
                   version) {
    pgq::detail::strands<TestType, owner> all;
    owner o;
    pgq::detail::held_lease slot;
    auto* const line = all.enter(TestType{1}, o, slot, 0);
    REQUIRE(line != nullptr);
    CHECK(all.enter(TestType{1}, o, slot, 1) == nullptr);
    CHECK(all.enter(TestType{1}, o, slot, 2) == nullptr);
    CHECK(o.in_line == 2);

    CHECK(all.next(*line) == std::pair{&slot, std::uint32_t{1}});
    CHECK(o.in_line == 1);
    CHECK(all.next(*line) == std::pair{&slot, std::uint32_t{2}});
    CHECK(o.in_line == 0);
    CHECK_FALSE(all.next(*line));
}

TEST_CASE("jobs with different keys do not wait for each other", "[handler][strands]") {
    pgq::detail::strands<std::string, owner> all;
    owner o;
    pgq::detail::held_lease slot;
    CHECK(all.enter("a", o, slot, 0) != nullptr);
    CHECK(all.enter("b", o, slot, 1) != nullptr);
    CHECK(o.in_line == 0);
}

TEST_CASE("a strand whose last job has ended begins anew with the next one", "[handler][strands]") {
    pgq::detail::strands<int, owner> all;
    owner o;
    pgq::detail::held_lease slot;
    auto* const first = all.enter(1, o, slot, 0);
    REQUIRE(first != nullptr);
    CHECK_FALSE(all.next(*first));
    CHECK(all.enter(1, o, slot, 1) != nullptr);
}

TEST_CASE("the line of a job that ends elsewhere is given out once", "[handler][strands]") {
    pgq::detail::strands<int, owner> all;
    owner o;
    pgq::detail::held_lease slot;
    auto* const line = all.enter(1, o, slot, 0);
    REQUIRE(line != nullptr);
    all.remember_line(slot, 0, *line);
    CHECK(all.take_line(slot, 1) == nullptr);
    CHECK(all.take_line(slot, 0) == line);
    CHECK(all.take_line(slot, 0) == nullptr);
}

}  // namespace unit_handler_strands
