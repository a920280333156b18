#include <pgq/observer/none.hpp>
#include <pgq/worker/heartbeat.hpp>

#include <support/catch.hpp>
#include <support/eventually.hpp>
#include <support/fake_session.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace unit_worker_heartbeat {

using namespace std::chrono_literals;

namespace {

const pgq::call_limit no_limit;

// A database that only accepts heartbeats, and answers the first ones with `answers`.
struct heartbeat_log {
    std::vector<pgq::beat_reply> answers;
    std::mutex mutex;
    std::vector<std::chrono::steady_clock::time_point> beats;
    std::atomic<int> purges{0};

    std::size_t count() {
        const std::lock_guard lock{mutex};
        return beats.size();
    }
};

struct heartbeat_driver {
    struct session : test::fake_session {
        explicit session(heartbeat_log* to) : b{to} {}

        pgq::result<pgq::beat_reply> beat(pgq::worker_id) {
            const std::lock_guard lock{b->mutex};
            b->beats.push_back(std::chrono::steady_clock::now());
            const std::size_t n = b->beats.size() - 1;
            return n < b->answers.size() ? b->answers[n] : pgq::beat_reply{.alive = true};
        }
        pgq::result<pgq::purge_reply> expire_and_purge() {
            ++b->purges;
            return pgq::purge_reply{};
        }

        heartbeat_log* b;
    };
    pgq::result<session> connect(pgq::session_role) const { return session{b}; }

    heartbeat_log* b;
};

struct errors_seen {
    void on(const pgq::event::error& e) { messages.push_back(e.error.message); }
    std::vector<std::string> messages{};
};

}  // namespace

TEST_CASE("a worker sends heartbeats more often for a while after a compaction", "[unit][worker][heartbeat]") {
    const bool compacted = GENERATE(true, false);
    heartbeat_log b;
    b.answers = {{.alive = true, .compacted = compacted}};
    const heartbeat_driver driver{&b};
    pgq::observer::none nobody;
    pgq::detail::heartbeat<heartbeat_driver, pgq::observer::none> m{driver, nobody, 1500ms, [] {}, [] {}, no_limit};
    m.start({1});
    REQUIRE(test::eventually([&] { return b.count() >= 5; }));
    m.stop();
    std::vector<std::chrono::steady_clock::duration> pauses;
    for (std::size_t i = 1; i < 5; ++i) pauses.push_back(b.beats[i] - b.beats[i - 1]);
    const auto shortest = std::ranges::min(pauses);
    if (compacted) CHECK(shortest < 500ms);
    else CHECK(shortest >= 500ms);
}

TEST_CASE("each heartbeat, and each registration, says until when jobs may begin", "[unit][worker][heartbeat]") {
    heartbeat_log b;
    const heartbeat_driver driver{&b};
    pgq::observer::none nobody;
    pgq::detail::worker_monitor monitor;
    const pgq::detail::job_counters counters;
    std::atomic<pgq::steady_time> leases_end_at{pgq::steady_time::max()};
    pgq::detail::heartbeat<heartbeat_driver, pgq::observer::none> m{driver, nobody, 300ms, [] {}, [] {}, no_limit};
    m.report_to(monitor, counters, leases_end_at);
    const auto begun = std::chrono::steady_clock::now();
    m.start({1});
    REQUIRE(test::eventually([&] { return b.count() >= 2; }));
    CHECK(leases_end_at.load() >= begun + 240ms);
    CHECK(leases_end_at.load() <= std::chrono::steady_clock::now() + 240ms);
    const auto asked_at = std::chrono::steady_clock::now() + 1h;
    m.follow({2}, asked_at);
    CHECK(leases_end_at.load() == asked_at + 240ms);
    m.stop();
}

TEST_CASE("the observer receives an error of compaction once, until it changes or passes",
          "[unit][worker][heartbeat]") {
    const auto failing = [](const char* why) {
        return pgq::beat_reply{.alive = true, .compact_error = pgq::error_info{pgq::errc::timeout, why}};
    };
    heartbeat_log b;
    b.answers = {failing("first"), failing("first"), failing("second"), {.alive = true}, failing("second")};
    const heartbeat_driver driver{&b};
    errors_seen seen;
    pgq::detail::heartbeat<heartbeat_driver, errors_seen> m{driver, seen, 60ms, [] {}, [] {}, no_limit};
    m.start({1});
    REQUIRE(test::eventually([&] { return b.count() >= 7; }));
    m.stop();
    CHECK(seen.messages == std::vector<std::string>{"first", "second", "second"});
}

TEST_CASE("a heartbeat tells its worker each time that jobs should stop, and purges with its first beat",
          "[unit][worker][heartbeat]") {
    heartbeat_log b;
    b.answers = {{.alive = true, .jobs_to_stop = true}, {.alive = true}, {.alive = true, .jobs_to_stop = true}};
    const heartbeat_driver driver{&b};
    pgq::observer::none nobody;
    std::atomic<int> told{0};
    pgq::detail::heartbeat<heartbeat_driver, pgq::observer::none> m{driver, nobody,          60ms,
                                                                    [] {},  [&] { ++told; }, no_limit};
    m.start({1});
    REQUIRE(test::eventually([&] { return b.count() >= 5; }));
    m.stop();
    CHECK(told == 2);
    CHECK(b.purges >= 1);
}

TEST_CASE("a heartbeat that was asked to stop reports its end from its thread, and stop() does not wait then",
          "[unit][worker][heartbeat]") {
    heartbeat_log b;
    const heartbeat_driver driver{&b};
    pgq::observer::none nobody;
    pgq::detail::heartbeat<heartbeat_driver, pgq::observer::none> m{driver, nobody, 1h, [] {}, [] {}, no_limit};
    std::promise<std::thread::id> ended;
    SECTION("a thread that runs") {
        m.start({1});
        m.request_stop([&] { ended.set_value(std::this_thread::get_id()); });
        CHECK(ended.get_future().get() != std::this_thread::get_id());
    }
    SECTION("no thread") {
        m.request_stop([&] { ended.set_value(std::this_thread::get_id()); });
        CHECK(ended.get_future().get() == std::this_thread::get_id());
    }
    m.stop();
}

}  // namespace unit_worker_heartbeat
