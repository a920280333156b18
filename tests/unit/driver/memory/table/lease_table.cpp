#include <pgq/driver/memory/table/lease_table.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace unit_driver_memory_table_lease_table {

using namespace pgq;
using driver::in_memory::job, driver::in_memory::lease, driver::in_memory::lease_table;

namespace {

constexpr worker_id worker{7};
constexpr lane_id lane{1};

/// A lease with jobs 0 to n - 1.
lease lease_of(std::int64_t n, std::int16_t flags = 0) {
    std::vector<job> jobs;
    for (std::int64_t id = 0; id < n; ++id) jobs.push_back({.id = {id}, .lane = lane, .flags = flags, .body = "old"});
    return {.worker = worker, .lane = lane, .jobs = std::make_shared<const std::vector<job>>(std::move(jobs))};
}
std::vector<std::size_t> running(const lease& l) {
    std::vector<std::size_t> out;
    l.for_each_running([&](std::size_t i) { out.push_back(i); });
    return out;
}

}  // namespace

TEST_CASE("a job of a lease is settled by its index or by its bit of a mask", "[driver][memory][lease_table]") {
    lease l = lease_of(10);
    l.mark_settled(std::size_t{9});
    l.mark_settled(std::string{"\x05"});
    CHECK(running(l) == std::vector<std::size_t>{1, 3, 4, 5, 6, 7, 8});
    l.mark_settled(std::string{"\xff\x01", 2});
    CHECK(running(l).empty());
}

TEST_CASE("a lease has an index only for a job that is not settled", "[driver][memory][lease_table]") {
    lease l = lease_of(3);
    CHECK(l.index_of({2}) == 2U);
    l.mark_settled(std::size_t{2});
    CHECK_FALSE(l.index_of({2}).has_value());
    CHECK_FALSE(l.index_of({99}).has_value());
}

TEST_CASE("the current job has the new payload and flags, the claimed one does not change",
          "[driver][memory][lease_table]") {
    lease l = lease_of(2);
    {
        const std::string body = "new";
        l.replace_body(1, body);
    }
    l.add_flags(1, flag_tracked);
    l.add_flags(1, flag_stop);
    CHECK(l.current(1).body == "new");
    CHECK(l.current(1).flags == (flag_tracked | flag_stop));
    CHECK(l.current(0).body == "old");
    CHECK(l.current(0).flags == 0);
    CHECK((*l.jobs)[1].body == "old");
}

TEST_CASE("only the worker of a lease finds it, until it is removed", "[driver][memory][lease_table]") {
    lease_table table;
    const auto claimed = table.add(lease_of(2, flag_tracked));
    CHECK(claimed.jobs.size() == 2);
    CHECK(claimed.jobs[1].index == 1);
    CHECK(claimed.jobs[1].flags == flag_tracked);
    CHECK(table.find(claimed.ref.id, {8}) == nullptr);
    REQUIRE(table.find(claimed.ref.id, worker) != nullptr);
    CHECK(table.find(claimed.ref.id, worker)->flags_of(1) == flag_tracked);
    CHECK(table.remove(claimed.ref.id).jobs->size() == 2);
    CHECK(table.find(claimed.ref.id, worker) == nullptr);
    CHECK(table.remove(claimed.ref.id).jobs->empty());
}

TEST_CASE("a stop request counts only for a job that runs", "[driver][memory][lease_table]") {
    lease_table table;
    const auto id = table.add(lease_of(2)).ref.id;
    lease& l = *table.find(id, worker);
    CHECK_FALSE(table.has_stop_request(worker));
    l.add_flags(0, flag_stop);
    CHECK(table.has_stop_request(worker));
    CHECK_FALSE(table.has_stop_request({8}));
    l.mark_settled(std::size_t{0});
    CHECK_FALSE(table.has_stop_request(worker));
    CHECK(table.count_running(lane) == 1);
    CHECK(table.count_running({2}) == 0);
}

}  // namespace unit_driver_memory_table_lease_table
