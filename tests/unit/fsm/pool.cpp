#include <pgq/fsm/pool.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

namespace unit_fsm_pool {

using namespace std::chrono_literals;
using pgq::fsm::pool;
using pgq::fsm::pool_action;
using pgq::fsm::pool_do;
using pgq::fsm::pool_grant;

namespace {

const pgq::steady_time start{1h};

}  // namespace

TEST_CASE("a pool opens sessions up to its maximum, and then callers wait", "[fsm][pool]") {
    pool p{{.max = 2, .max_idle = 1min}};
    CHECK(p.asked(1, start) == pool_action{pool_do::open, 0});
    CHECK(p.asked(2, start) == pool_action{pool_do::open, 1});
    CHECK(p.asked(3, start).what == pool_do::wait);
    CHECK(p.open() == 2);
    CHECK(p.lent() == 2);
    CHECK(p.waiting() == 1);
}

TEST_CASE("the caller that has waited longest gets a returned session", "[fsm][pool]") {
    pool p{{.max = 1, .max_idle = 1min}};
    (void)p.asked(1, start);
    for (const std::uint64_t caller : {2U, 3U, 4U}) CHECK(p.asked(caller, start).what == pool_do::wait);
    CHECK(p.returned(0, start) == pool_grant{2, {pool_do::use, 0}});
    CHECK(p.gave_up(3));
    CHECK(p.returned(0, start) == pool_grant{4, {pool_do::use, 0}});
    CHECK(p.returned(0, start) == std::nullopt);
    CHECK(p.idle() == 1);
}

TEST_CASE("a caller that gives up after a grant still owns the slot", "[fsm][pool]") {
    pool p{{.max = 1, .max_idle = 1min}};
    (void)p.asked(1, start);
    (void)p.asked(2, start);
    REQUIRE(p.returned(0, start).has_value());
    CHECK_FALSE(p.gave_up(2));
    CHECK(p.lent() == 1);
}

TEST_CASE("the next caller opens a session in the place of a broken one", "[fsm][pool]") {
    pool p{{.max = 1, .max_idle = 1min}};
    (void)p.asked(1, start);
    CHECK(p.dropped(0) == std::nullopt);
    CHECK(p.open() == 0);
    CHECK(p.asked(2, start) == pool_action{pool_do::open, 0});
    (void)p.asked(3, start);
    CHECK(p.dropped(0) == pool_grant{3, {pool_do::open, 0}});
    CHECK(p.lent() == 1);
}

TEST_CASE("the session that was returned last is lent first", "[fsm][pool]") {
    pool p{{.max = 3, .max_idle = 1min}};
    for (const std::uint64_t caller : {1U, 2U, 3U}) (void)p.asked(caller, start);
    for (const std::size_t slot : {1U, 2U, 0U}) (void)p.returned(slot, start);
    CHECK(p.asked(4, start) == pool_action{pool_do::use, 0});
    CHECK(p.asked(5, start) == pool_action{pool_do::use, 2});
}

TEST_CASE("a session that was idle for long is checked before it is lent", "[fsm][pool]") {
    pool p{{.max = 1, .max_idle = 1min}};
    (void)p.asked(1, start);
    (void)p.returned(0, start);
    CHECK(p.asked(2, start + 59s) == pool_action{pool_do::use, 0});
    (void)p.returned(0, start + 59s);
    CHECK(p.asked(3, start + 119s) == pool_action{pool_do::probe, 0});
}

TEST_CASE("sessions that were idle for long are closed, the oldest first, down to the minimum", "[fsm][pool]") {
    pool p{{.min = 1, .max = 3, .max_idle = 1min}};
    for (const std::uint64_t caller : {1U, 2U, 3U}) (void)p.asked(caller, start);
    (void)p.returned(1, start);
    (void)p.returned(0, start + 10s);
    (void)p.returned(2, start + 20s);
    CHECK(p.surplus(start + 59s) == std::nullopt);
    CHECK(p.surplus(start + 65s) == 1);
    CHECK(p.surplus(start + 65s) == std::nullopt);
    CHECK(p.surplus(start + 2h) == 0);
    CHECK(p.surplus(start + 2h) == std::nullopt);
    CHECK(p.open() == 1);
}

TEST_CASE("in any order of calls no slot is lent twice, no caller waits while a slot is free, and grants are in order",
          "[fsm][pool]") {
    std::mt19937 random{20240229};
    for (int round = 0; round < 200; ++round) {
        const std::size_t max = 1 + random() % 4;
        pool p{{.min = random() % (max + 1), .max = max, .max_idle = 10s}};
        std::map<std::size_t, std::uint64_t> lent;  // slot, caller
        std::vector<std::uint64_t> queue;
        std::uint64_t next = 0;
        auto now = start;
        const auto take = [&](std::uint64_t caller, const pool_action& a) {
            REQUIRE(a.slot < max);
            REQUIRE(lent.emplace(a.slot, caller).second);
        };
        const auto grant = [&](const std::optional<pool_grant>& g) {
            REQUIRE(g.has_value() == !queue.empty());
            if (!g) return;
            REQUIRE(g->caller == queue.front());
            queue.erase(queue.begin());
            take(g->caller, g->action);
        };
        for (int step = 0; step < 300; ++step) {
            now += std::chrono::seconds{random() % 8};
            const auto what = random() % 10;
            if (what < 4) {
                const auto a = p.asked(++next, now);
                if (a.what == pool_do::wait) queue.push_back(next);
                else take(next, a);
            } else if (what < 8 && !lent.empty()) {
                const auto slot = std::next(lent.begin(), static_cast<std::ptrdiff_t>(random() % lent.size()))->first;
                lent.erase(slot);
                grant(what == 7 ? p.dropped(slot) : p.returned(slot, now));
            } else if (what == 8 && !queue.empty()) {
                const auto at = static_cast<std::ptrdiff_t>(random() % queue.size());
                REQUIRE(p.gave_up(queue[static_cast<std::size_t>(at)]));
                queue.erase(queue.begin() + at);
            } else if (const auto closed = p.surplus(now)) {
                REQUIRE(lent.count(*closed) == 0);
            }
            REQUIRE(p.lent() == lent.size());
            REQUIRE(p.open() <= max);
            REQUIRE((queue.empty() || lent.size() == max));
        }
    }
}

}  // namespace unit_fsm_pool
