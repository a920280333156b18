#include <pgq/driver/memory.hpp>
#include <pgq/testing/laws/driver.hpp>

#include <support/catch.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace laws_driver_memory {

using namespace pgq;

TEST_CASE("driver::memory keeps the driver laws", "[driver][memory][laws]") {
    laws::check_driver<driver::memory>([] { return driver::memory{}; });
}

namespace {

using namespace std::chrono_literals;
using laws::bodies_of, laws::in_order, laws::must, laws::strings;
using fixture = laws::driver_fixture<driver::memory>;

driver::memory::session connected(const driver::memory& d) { return must(d.connect(session_role::worker)); }

}  // namespace

TEST_CASE("copies of a memory driver share one store, another driver has its own", "[driver][memory]") {
    const driver::memory one, other;
    const driver::memory copy = one;
    fixture w{one}, same{copy}, different{other};
    w.enqueue(w.lane(), {"x"});
    CHECK(same.counts(same.lane()).ready == 1);
    CHECK(different.counts(different.lane()).ready == 0);
}

TEST_CASE("a memory store lives as long as its last session", "[driver][memory]") {
    auto session = [] { return connected(driver::memory{}); }();
    const lane_name name{.entrypoint = "job"};
    CHECK(must(session.lanes("q", std::span{&name, 1})).size() == 1);
}

TEST_CASE("claimed payloads outlive the memory store", "[driver][memory]") {
    sync_reply got;
    {
        fixture w{driver::memory{}};
        const auto lane = w.lane();
        w.enqueue(lane, {std::string(100, 'x')});
        got = w.worker({lane}).claim(1);
    }
    CHECK(bodies_of(got) == strings{std::string(100, 'x')});
}

TEST_CASE("the memory driver rejects the names that PostgreSQL rejects", "[driver][memory]") {
    auto session = connected(driver::memory{});
    const auto error_of = [&](std::string_view queue, std::string_view entrypoint) {
        const lane_name name{.entrypoint = entrypoint};
        const auto answer = session.lanes(queue, std::span{&name, 1});
        REQUIRE_FALSE(answer.has_value());
        return answer.error();
    };
    CHECK(error_of("", "job") == errc::invalid_name);
    CHECK(error_of("q", "") == errc::invalid_name);
    CHECK(error_of("q", std::string(256, 'n')) == errc::invalid_name);
    CHECK(error_of(std::string_view{"a\0b", 3}, "job") == errc::invalid_text);
    CHECK(error_of("q", "\xff") == errc::invalid_text);
}

TEST_CASE("the memory driver rejects an invalid request as a whole", "[driver][memory]") {
    fixture w{driver::memory{}};
    const auto lane = w.lane();
    w.enqueue(lane, {"a", "b"});
    auto p = w.worker({lane});
    const auto got = p.claim(1);
    const auto mask = laws::mask_of({0});
    const settlement outside{.index = 1};
    sync_reply reply;
    const auto refused = [&](sync_request r) {
        r.worker = r.worker == worker_id{} ? p.worker : r.worker;
        const auto answer = p.session.sync(r, reply);
        REQUIRE_FALSE(answer.has_value());
        CHECK(reply.leases.empty());
        return answer.error();
    };
    SECTION("a settlement of a job that is not in the lease") {
        const lease_progress p2{.ref = got.leases[0].ref, .last = true, .mask = mask, .items = std::span{&outside, 1}};
        CHECK(refused({.progressed = std::span{&p2, 1}, .lanes = p.lanes, .limit = 1}) == errc::invalid_option);
    }
    SECTION("the end of a lease with jobs that are not settled") {
        const lease_progress p2{.ref = got.leases[0].ref, .last = true};
        CHECK(refused({.progressed = std::span{&p2, 1}, .lanes = p.lanes, .limit = 1}) == errc::invalid_option);
    }
    SECTION("a claim or a subscription of a worker that is not registered") {
        CHECK(refused({.worker = {99}, .lanes = p.lanes, .limit = 1}) == errc::worker_lost);
        CHECK(refused({.worker = {99}, .subscribe_wakes = true}) == errc::worker_lost);
    }
    SECTION("jobs for a lane that does not exist") {
        const bodies b = fixture::packed({"x"});
        const enqueue_options plain{};
        std::vector<job_id> ids;
        for (const std::int32_t none : {-1, 0, 99})
            CHECK_FALSE(w.client().enqueue({{none}, &b, std::span{&plain, 1}}, ids).has_value());
    }
    SECTION("a worker without a lease time") { CHECK_FALSE(p.session.register_worker({}).has_value()); }
    CHECK(w.counts(lane) == lane_counts{.ready = 1, .leased = 1});
}

TEST_CASE("the memory driver does not wake a session that no longer exists", "[driver][memory]") {
    fixture w{driver::memory{}};
    const auto lane = w.lane();
    auto here = w.worker({lane});
    SECTION("by its destructor") {
        auto gone = w.worker({lane});
        gone.subscribe();
        [](auto) {}(std::move(gone));
    }
    SECTION("overwritten by assignment") {
        auto gone = w.worker({lane});
        gone.subscribe();
        gone.session = w.connect(session_role::worker);
    }
    here.subscribe();
    w.enqueue(lane, {"x"});
    CHECK(here.receives_wake());
}

TEST_CASE("the memory driver drops a wake from before the subscription", "[driver][memory]") {
    fixture w{driver::memory{}};
    const auto lane = w.lane();
    auto p = w.worker({lane});
    p.subscribe();
    w.enqueue(lane, {"x"});
    SECTION("subscribed again") { p.subscribe(); }
    SECTION("unsubscribed") { (void)p.sync({.unsubscribe_wakes = true}); }
    CHECK_FALSE(p.receives_wake(0s));
}

TEST_CASE("the memory driver claims in order under random operations", "[driver][memory]") {
    fixture w{driver::memory{}};
    const std::vector lanes{w.lane("a"), w.lane("b"), w.lane("c")};
    auto p = w.worker(lanes);
    std::mt19937 random{7};
    std::map<std::pair<rank, job_id>, int> model;  // the ready jobs
    const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    for (int step = 0; step < 3000; ++step) {
        const auto priority = static_cast<std::int16_t>(pick(3));
        const auto lane = lanes[static_cast<std::size_t>(pick(3))];
        for (const auto id : w.enqueue(lane, strings(static_cast<std::size_t>(pick(6)), "x"), {.priority = priority}))
            model[{rank::of(priority), id}] = 1;
        const auto got = p.claim(static_cast<std::uint32_t>(pick(6)));
        for (const auto& j : in_order(got)) {
            REQUIRE(model.begin()->first == std::pair{j.rank, j.id});
            model.erase(model.begin());
        }
        if (pick(3) == 0) {
            must(p.session.give_back(laws::leases_of(got)));
            for (const auto& j : in_order(got)) model[{j.rank, j.id}] = 1;
        } else {
            CHECK(p.finish(got).lost.empty());
        }
        if (pick(50) == 0 && !model.empty()) {
            const job_id gone = model.begin()->first.second;
            CHECK(must(w.client().cancel(std::span{&gone, 1})).removed == 1);
            model.erase(model.begin());
        }
    }
    CHECK(in_order(p.claim(1'000'000)).size() == model.size());
}

TEST_CASE("with a manual clock, jobs become due and workers die by that clock alone", "[driver][memory]") {
    manual_clock clock;
    fixture w{driver::memory::with_clock(clock)};
    const auto lane = w.lane();
    auto p = w.worker({lane}, 15s);
    w.enqueue(lane, {"x"}, {.run_at = in(10s)});
    CHECK(p.sync({.peek_next_due = true}).next_due == 10s);
    clock.advance(9999ms);
    CHECK(p.promote_and_claim(1).leases.empty());
    clock.advance(1ms);
    CHECK(bodies_of(p.promote_and_claim(1)) == strings{"x"});

    clock.advance(5s);
    CHECK(must(w.client().rescue()).workers == 0);
    CHECK(must(p.session.beat(p.worker)).alive);
    clock.advance(15s);
    CHECK(must(w.client().rescue()).workers == 0);
    clock.advance(1ns);
    CHECK(must(w.client().rescue()).workers == 1);
    CHECK(w.counts(lane).ready == 1);
}

TEST_CASE("with a manual clock, a key for a period is free when that time has passed, and not before",
          "[driver][memory]") {
    manual_clock clock;
    laws::tracked_fixture<driver::memory> t{driver::memory::with_clock(clock)};
    const unique key = unique{"k"}.during(1h);
    const auto first = t.add("a", {.unique_key = key});
    t.run("a");
    clock.advance(1h - 1us);
    CHECK(t.add("b", {.unique_key = key}) == enqueued_job{.id = first.id, .is_new = false});
    clock.advance(1us);
    CHECK(t.add("c", {.unique_key = key}).is_new);
}

TEST_CASE("setting the calendar makes jobs due, but no worker dead", "[driver][memory]") {
    manual_clock clock;
    fixture w{driver::memory::with_clock(clock)};
    const auto lane = w.lane();
    auto p = w.worker({lane}, 15s);
    w.enqueue_each(lane, {"a", "b"}, {{.run_at = at(clock.now() + 24h)}, {.run_at = at(clock.now() + 48h)}});
    clock.set(clock.now() + 24h);
    CHECK(bodies_of(p.promote_and_claim(5)) == strings{"a"});
    CHECK(must(w.client().rescue()).workers == 0);
    clock.set(clock.now() - 24h);
    CHECK(p.sync({.peek_next_due = true}).next_due == 48h);
}

TEST_CASE("a wait on a manual clock times out when that clock has moved far enough", "[driver][memory]") {
    manual_clock clock;
    fixture w{driver::memory::with_clock(clock)};
    auto p = w.worker({w.lane()});
    std::atomic<bool> ended{false};
    wake_reason why{};
    std::jthread sleeper{[&] {
        why = p.session.wait(1h).value();
        ended = true;
    }};
    while (!ended) clock.advance(1min), std::this_thread::yield();
    sleeper.join();
    CHECK(why == wake_reason::timeout);
}

TEST_CASE("times beyond the calendar are limited to its ends", "[driver][memory]") {
    fixture w{driver::memory{}};
    const auto lane = w.lane();
    w.enqueue_each(
        lane, {"never", "long ago"},
        {{.run_at = in(std::chrono::microseconds::max())}, {.run_at = in(std::chrono::microseconds::min())}});
    auto p = w.worker({lane});
    const auto got = p.promote_and_claim(5);
    CHECK(bodies_of(got) == strings{"long ago"});
    (void)p.settle(got, {.kind = settle_kind::retry, .delay = duration::max()});
    CHECK(p.sync({.peek_next_due = true}).next_due > 24h * 365 * 100);
    p.session.interrupt();
    CHECK(must(p.session.wait(duration::max())) == wake_reason::interrupted);
}

TEST_CASE("a manual clock advances only forwards, and its calendar can be set to any time", "[time][manual_clock]") {
    const time_point start{std::chrono::sys_days{std::chrono::year{2030} / 2 / 3}};
    manual_clock clock{start};
    const manual_clock copy = clock;
    const steady_time begin = clock.steady_now();
    CHECK(clock.now() == start);
    clock.advance(600ns);
    CHECK(clock.now() == start);
    clock.advance(400ns);
    CHECK(copy.now() == start + 1us);
    CHECK(copy.steady_now() == begin + 1us);
    clock.advance(-1h);
    CHECK(clock.now() == start + 1us);
    clock.set(start - 1h);
    CHECK(copy.now() == start - 1h);
    CHECK(copy.steady_now() == begin + 1us);
}

TEST_CASE("a manual clock notifies its watchers after each move, until they are removed", "[time][manual_clock]") {
    manual_clock clock;
    int calls = 0;
    time_point seen{};
    auto watch = clock.watch([&] { ++calls, seen = clock.now(); });
    clock.advance(1s);
    CHECK(calls == 1);
    CHECK(seen == clock.now());
    clock.set(seen + 1h);
    CHECK(calls == 2);
    CHECK(seen == clock.now());
    watch.reset();
    clock.advance(1s);
    CHECK(calls == 2);
}

}  // namespace laws_driver_memory
