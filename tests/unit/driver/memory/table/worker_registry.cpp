#include <pgq/driver/memory/table/worker_registry.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <memory>
#include <vector>

namespace unit_driver_memory_table_worker_registry {

using namespace pgq;
using namespace std::chrono_literals;
using driver::in_memory::waiter, driver::in_memory::worker_registry;

namespace {

constexpr steady_time start{1h};
constexpr lane_id a{1}, b{2};

/// A registered worker and its session.
struct test_worker {
    std::shared_ptr<waiter> session = std::make_shared<waiter>();
    worker_id id{};

    test_worker(worker_registry& workers, const std::vector<lane_id>& lanes, bool subscribes = true)
        : id{workers.add({.lease_time = 15s, .lanes = lanes}, start, session)} {
        if (subscribes) workers.subscribe(id, session);
    }
    bool receives_wake() const { return session->work_ready; }
};

}  // namespace

TEST_CASE("a worker is dead when its last heartbeat is older than its lease time",
          "[driver][memory][worker_registry]") {
    worker_registry workers;
    const test_worker w{workers, {a}}, other{workers, {a}};
    CHECK(workers.dead(start + 15s).empty());
    CHECK(workers.record_beat(other.id, start + 10s).alive);
    CHECK(workers.dead(start + 15s + 1ns) == std::vector{w.id});
    CHECK(workers.record_beat(other.id, start + 20s).rescue_needed);
    workers.remove(w.id);
    CHECK_FALSE(workers.contains(w.id));
    const auto reply = workers.record_beat(w.id, start + 20s);
    CHECK_FALSE(reply.alive);
    CHECK_FALSE(reply.rescue_needed);
}

TEST_CASE("each wake of a lane wakes another sleeping worker of that lane", "[driver][memory][worker_registry]") {
    worker_registry workers;
    const test_worker awake{workers, {a}, false}, elsewhere{workers, {b}}, first{workers, {a}}, second{workers, {a, b}};
    CHECK(workers.wake_one(a, {}));
    CHECK(first.receives_wake());
    CHECK_FALSE(second.receives_wake());
    CHECK(workers.wake_one(a, {}));
    CHECK(second.receives_wake());
    CHECK_FALSE(workers.wake_one(a, {}));
    CHECK_FALSE(awake.receives_wake());
    CHECK_FALSE(elsewhere.receives_wake());
}

TEST_CASE("several changes of one lane wake one worker, but never the excepted one",
          "[driver][memory][worker_registry]") {
    worker_registry workers;
    const test_worker caller{workers, {a, b}}, first{workers, {a}}, second{workers, {a}};
    std::vector lanes{a, b, a, a};
    workers.wake(lanes, caller.id);
    CHECK(first.receives_wake());
    CHECK_FALSE(second.receives_wake());
    CHECK_FALSE(caller.receives_wake());
}

TEST_CASE("a worker wakes a peer that shares one of its lanes", "[driver][memory][worker_registry]") {
    worker_registry workers;
    const test_worker caller{workers, {a}}, other{workers, {b}}, peer{workers, {b, a}};
    workers.wake_peer(caller.id);
    CHECK(peer.receives_wake());
    CHECK_FALSE(caller.receives_wake());
    CHECK_FALSE(other.receives_wake());
    workers.wake_peer({99});
    CHECK_FALSE(other.receives_wake());
}

TEST_CASE("subscribing and unsubscribing drop an earlier wake", "[driver][memory][worker_registry]") {
    worker_registry workers;
    const test_worker w{workers, {a}};
    CHECK(workers.wake_one(a, {}));
    workers.subscribe(w.id, w.session);
    CHECK_FALSE(w.receives_wake());
    CHECK(workers.wake_one(a, {}));
    workers.unsubscribe(w.id, w.session);
    CHECK_FALSE(w.receives_wake());
    CHECK_FALSE(workers.wake_one(a, {}));
}

TEST_CASE("a session that ends receives no wake", "[driver][memory][worker_registry]") {
    worker_registry workers;
    const test_worker gone{workers, {a}}, other{workers, {a}};
    workers.remove_session(*gone.session);
    CHECK(workers.wake_one(a, {}));
    CHECK_FALSE(gone.receives_wake());
    CHECK(other.receives_wake());
}

TEST_CASE("a stop request reaches the session of the worker, asleep or awake", "[driver][memory][worker_registry]") {
    worker_registry workers;
    test_worker asleep{workers, {a}}, awake{workers, {a}, false}, gone{workers, {a}, false};
    for (const auto* w : {&asleep, &awake}) {
        workers.request_stop(w->id);
        CHECK(w->session->stop_requested);
        CHECK(w->session->must_return());
        CHECK_FALSE(w->receives_wake());
    }
    gone.session.reset();
    workers.request_stop(gone.id);
    workers.request_stop({99});
}

TEST_CASE("a worker of many queue names is woken for the lanes that it serves", "[driver][memory][names]") {
    worker_registry workers;
    const auto session = std::make_shared<waiter>();
    const auto id = workers.add({.lease_time = 15s}, start, session, [](lane_id l) { return l.value > 100; });
    workers.subscribe(id, session);
    CHECK_FALSE(workers.wake_one({5}, {}));
    CHECK(workers.wake_one({105}, {}));
}

}  // namespace unit_driver_memory_table_worker_registry
