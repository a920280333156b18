#include <pgq/driver/memory/table/ready_queue.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace unit_driver_memory_table_ready_queue {

using namespace pgq;
using driver::in_memory::job, driver::in_memory::ready_queue;

namespace {

job make(std::int64_t id, std::int16_t priority = 0) { return {.id = {id}, .rank = rank::of(priority)}; }

std::vector<std::int64_t> ids(const std::vector<job>& jobs) {
    std::vector<std::int64_t> out;
    for (const auto& j : jobs) out.push_back(j.id.value);
    return out;
}
std::vector<std::int64_t> pop_all(ready_queue& q) {
    std::vector<std::int64_t> out;
    while (!q.empty()) out.push_back(q.pop().id.value);
    return out;
}
bool is_even(const job& j) { return j.id.value % 2 == 0; }

}  // namespace

TEST_CASE("a ready queue pops by rank and id, in any order of pushes", "[driver][memory][ready_queue]") {
    std::mt19937 random{3};
    ready_queue q;
    std::set<std::pair<rank, std::int64_t>> expected;
    for (std::int64_t id = 0; id < 20'000; ++id) {
        const auto priority = static_cast<std::int16_t>(random() % 8 == 0 ? random() % 3 : 0);
        q.push(make(id, priority));
        expected.insert({rank::of(priority), id});
        if (random() % 4 == 0) continue;
        const auto first = q.pop();
        REQUIRE(std::pair{first.rank, first.id.value} == *expected.begin());
        expected.erase(expected.begin());
    }
    CHECK(q.size() == expected.size());
    for (const auto& e : expected) REQUIRE(q.pop().id.value == e.second);
    CHECK(q.empty());
}

TEST_CASE("a ready queue finds jobs that were pushed in order and out of order", "[driver][memory][ready_queue]") {
    ready_queue q;
    for (const std::int64_t id : {2, 4, 3}) q.push(make(id));
    (void)q.pop();
    CHECK(q.find(rank::of(0), {2}) == nullptr);
    for (const std::int64_t id : {3, 4}) {
        REQUIRE(q.find(rank::of(0), {id}) != nullptr);
        CHECK(q.find(rank::of(0), {id})->id == job_id{id});
    }
    CHECK(q.find(rank::of(0), {9}) == nullptr);
    std::size_t n = 0;
    q.for_each([&](const job&) { ++n; });
    CHECK(n == 2);
}

TEST_CASE("take_if removes the first jobs that match and keeps the others in order", "[driver][memory][ready_queue]") {
    ready_queue q;
    for (const std::int64_t id : {1, 2, 6, 8}) q.push(make(id));
    q.push(make(4, 1));
    q.push(make(3));
    CHECK(ids(q.take_if(2, is_even)) == std::vector<std::int64_t>{4, 2});
    q.push(make(5));
    CHECK(pop_all(q) == std::vector<std::int64_t>{1, 3, 5, 6, 8});
}

TEST_CASE("move_if moves all jobs that match and keeps the others in order", "[driver][memory][ready_queue]") {
    ready_queue q;
    for (const std::int64_t id : {1, 2, 5, 6}) q.push(make(id));
    q.push(make(4));
    q.push(make(3));
    (void)q.pop();
    std::vector<job> moved{make(100)};
    q.move_if(is_even, moved);
    CHECK(moved.size() == 4);
    CHECK(moved.front().id.value == 100);
    CHECK(pop_all(q) == std::vector<std::int64_t>{3, 5});
}

}  // namespace unit_driver_memory_table_ready_queue
