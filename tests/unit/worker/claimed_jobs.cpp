#include <pgq/worker/claimed_jobs.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <vector>

namespace unit_worker_claimed_jobs {

using pgq::detail::claimed_jobs;
using pgq::detail::held_lease;

namespace {

struct recording_runner {
    void dispatch(held_lease& slot, std::uint32_t position) {
        CHECK(slot.lease.jobs.size() > position);  // one whose jobs are in strands reads the payload
        positions.push_back(position);
    }
    void dispatched() { ++calls; }

    std::vector<std::uint32_t> positions{};
    int calls = 0;
};

// A lease of three jobs; the last one is in quarantine.
void open(held_lease& slot) {
    pgq::claimed_lease l{.ref = {.id = 1}};
    for (std::uint32_t i = 0; i < 3; ++i) l.jobs.push_back({.id = {i}, .rank = pgq::rank::of(0), .index = i});
    l.jobs[2].flags = pgq::flag_alone;
    slot.open(std::move(l), 0, 0, {});
}
void take_back(held_lease& slot, std::uint32_t position) {
    REQUIRE(slot.take(position));
    ++slot.revoked_tasks;
}

}  // namespace

TEST_CASE("jobs that were taken back are not handed to the executor", "[worker][claimed_jobs]") {
    held_lease slot;
    open(slot);
    claimed_jobs claimed;
    claimed.add_lease(slot);
    claimed.sort();
    recording_runner runner;
    SECTION("one of them") {
        take_back(slot, 0);
        CHECK(claimed.dispatch(runner) == 1);
        CHECK(runner.positions == std::vector<std::uint32_t>{1});
        CHECK(runner.calls == 1);
        CHECK(claimed.waiting_alone() == 1);
    }
    SECTION("all, and the lease was closed since") {
        for (const std::uint32_t i : {0U, 1U, 2U}) take_back(slot, i);
        slot.close();
        CHECK(claimed.waiting_alone() == 0);
        CHECK(claimed.dispatch(runner) == 0);
        CHECK(runner.positions.empty());
    }
    CHECK(slot.revoked_tasks == 0);
    CHECK(claimed.empty());
}

}  // namespace unit_worker_claimed_jobs
