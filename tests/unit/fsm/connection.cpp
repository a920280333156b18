#include <pgq/fsm/connection.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <optional>

namespace unit_fsm_connection {

using namespace std::chrono_literals;
using pgq::steady_time;
using pgq::fsm::connection;
using pgq::fsm::worker_do;

namespace {

constexpr steady_time begin{1h};

// Lost and connected again, and on the way to agreement.
connection reconnected() {
    connection c{10s};
    (void)c.broke(1, begin);
    c.connected();
    return c;
}
connection restored() {
    connection c = reconnected();
    (void)c.leases_compared(false);
    c.leases_refreshed(false, begin);
    return c;
}

}  // namespace

TEST_CASE("a worker that has registered needs no step", "[fsm][connection]") {
    const connection c{10s};
    CHECK(c.is_open());
    CHECK(c.next(begin) == std::nullopt);
    CHECK(c.next(begin + 24h) == std::nullopt);
}

TEST_CASE("a lost connection is made again after a rest that grows", "[fsm][connection]") {
    connection c{10s};
    CHECK(c.broke(1, begin) == 100ms);
    CHECK_FALSE(c.is_open());
    CHECK(c.next(begin + 99ms) == std::nullopt);
    CHECK(c.next_at() == begin + 100ms);
    CHECK(c.next(begin + 100ms) == worker_do::connect);
    CHECK(c.broke(1, begin + 100ms) == 200ms);
    CHECK(c.next(begin + 299ms) == std::nullopt);
    CHECK(c.next(begin + 300ms) == worker_do::connect);
    CHECK(c.closed_since() == begin);
}

TEST_CASE("only a sync that succeeds ends the growth of the pauses", "[fsm][connection]") {
    connection c{10s};
    auto now = begin;
    for (const auto pause : {100ms, 200ms, 400ms, 800ms}) {
        CHECK(c.broke(1, now) == pause);
        now += pause;
        c.connected();
        CHECK(c.leases_compared(false));
        c.leases_refreshed(false, now);
    }
    c.worked(now);
    CHECK(c.broke(1, now) == 100ms);
}

TEST_CASE("after connecting a worker compares its leases, and then refreshes them", "[fsm][connection]") {
    connection c = reconnected();
    CHECK(c.restoring());
    CHECK(c.next(begin) == worker_do::compare_leases);
    CHECK(c.leases_compared(false));
    CHECK_FALSE(c.restoring());
    CHECK(c.next(begin) == worker_do::refresh_leases);
    c.leases_refreshed(false, begin);
    CHECK(c.next(begin) == std::nullopt);
}

TEST_CASE("a connection is restored only when unknown leases were given back", "[fsm][connection]") {
    connection c = reconnected();
    CHECK_FALSE(c.leases_compared(true));
    CHECK(c.next(begin) == worker_do::give_back);
    CHECK(c.gave_back());
    CHECK(c.next(begin) == worker_do::refresh_leases);
}

TEST_CASE("a connection that breaks while it is being restored begins again", "[fsm][connection]") {
    connection c = reconnected();
    (void)c.leases_compared(true);
    CHECK(c.broke(1, begin + 1s) == 200ms);
    CHECK(c.next(begin + 1200ms) == worker_do::connect);
    c.connected();
    CHECK(c.next(begin + 1200ms) == worker_do::compare_leases);
}

TEST_CASE("a restored worker refreshes its leases after one lease time, then after two, and then after each four",
          "[fsm][connection]") {
    connection c = restored();
    steady_time now = begin;
    for (const auto rest : {10s, 20s, 40s, 40s, 40s}) {
        CHECK(c.next_at() == now + rest);
        CHECK(c.next(now + rest - 1ms) == std::nullopt);
        now += rest;
        CHECK(c.next(now) == worker_do::refresh_leases);
        c.leases_refreshed(true, now);
        CHECK(c.next(now) == worker_do::give_back);
        CHECK_FALSE(c.gave_back());  // that was no restoring
    }
}

TEST_CASE("a worker whose connection never broke refreshes its leases after four lease times", "[fsm][connection]") {
    connection c{10s};
    c.worked(begin);
    c.worked(begin + 30s);
    CHECK(c.next(begin + 40s - 1ms) == std::nullopt);
    CHECK(c.next(begin + 40s) == worker_do::refresh_leases);
    c.leases_refreshed(false, begin + 40s);
    CHECK(c.next(begin + 80s - 1ms) == std::nullopt);
    CHECK(c.next(begin + 80s) == worker_do::refresh_leases);
}

TEST_CASE("a worker that was declared dead registers before anything else", "[fsm][connection]") {
    connection c{10s};
    c.leases_changed();
    c.declared_dead();
    CHECK(c.next(begin) == worker_do::register_worker);
    c.registered();
    CHECK(c.next(begin) == worker_do::refresh_leases);
}

TEST_CASE("a worker that was declared dead without a connection registers after connecting", "[fsm][connection]") {
    connection c{10s};
    (void)c.broke(1, begin);
    c.declared_dead();
    CHECK(c.next(begin) == std::nullopt);
    c.connected();
    CHECK(c.next(begin) == worker_do::register_worker);
    // Registering may fail, too.
    (void)c.broke(1, begin);
    c.connected();
    CHECK(c.next(begin) == worker_do::register_worker);
    c.registered();
    CHECK(c.next(begin) == worker_do::compare_leases);
}

TEST_CASE("a worker that is declared dead gives nothing back under its new id without comparing", "[fsm][connection]") {
    connection c = reconnected();
    (void)c.leases_compared(true);
    c.declared_dead();
    CHECK(c.next(begin) == worker_do::register_worker);
    c.registered();
    CHECK(c.next(begin) == worker_do::compare_leases);
}

TEST_CASE("changed leases are read again, until that has succeeded", "[fsm][connection]") {
    connection c{10s};
    c.leases_changed();
    CHECK(c.next(begin) == worker_do::refresh_leases);
    (void)c.broke(1, begin);
    c.connected();
    (void)c.leases_compared(false);
    CHECK(c.next(begin) == worker_do::refresh_leases);
}

}  // namespace unit_fsm_connection
