#include <pgq/pull/wait_for_job.hpp>

#include <support/catch.hpp>
#include <support/fake_session.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace unit_pull_wait_for_job {

using namespace pgq;
using namespace std::chrono_literals;
using detail::session_cache, detail::time_left, detail::wait_for_job, detail::waiting;

namespace {

/// What the sessions of a driver were asked for, one word each, and how their waits end.
struct journal {
    std::string calls{};
    std::vector<wake_reason> waits{};  ///< then each wait times out
};

struct listening_session : test::fake_session {
    explicit listening_session(journal& j) : log{&j} {}

    result<worker_id> register_worker(const worker_info&) {
        log->calls += "register ";
        return worker_id{1};
    }
    result<void> sync(const sync_request& r, sync_reply&) {
        log->calls += r.subscribe_wakes ? "subscribe " : r.wake_peer ? "unsubscribe+wake " : "unsubscribe ";
        return {};
    }
    result<wake_reason> wait(duration timeout) {
        if (timeout == duration{}) return wake_reason::timeout;
        log->calls += "wait ";
        if (log->waits.empty()) return wake_reason::timeout;
        const auto how = log->waits.front();
        log->waits.erase(log->waits.begin());
        return how;
    }
    result<std::vector<held_by_rescue>> retire(worker_id) {
        log->calls += "retire ";
        return std::vector<held_by_rescue>{};
    }

    journal* log;
};

struct listening_driver {
    using policy_category = driver_tag;
    using session = listening_session;
    result<session> connect(session_role) const { return session{*log}; }
    result<void> install() const { return {}; }

    journal* log;
};

struct fixture {
    /// Waits; the call finds a job at look number `n`.
    result<std::optional<int>> wait(int n, waiting w) {
        calls = 0;
        return wait_for_job(cache, driver, w, [&](std::optional<duration>&) -> result<std::optional<int>> {
            return ++calls == n ? std::optional{n} : std::nullopt;
        });
    }
    result<std::optional<int>> wait(int n) { return wait(n, {.timeout = 1h, .poll_interval = 1s}); }

    journal log{};
    listening_driver driver{&log};
    session_cache<listening_driver> cache{};
    int calls = 0;
};

}  // namespace

TEST_CASE("a job that is there is returned without a listener", "[pull][wait]") {
    fixture t;
    CHECK(t.wait(1).value() == 1);
    CHECK(t.log.calls.empty());
}

TEST_CASE("a call without a timeout calls once", "[pull][wait]") {
    fixture t;
    CHECK(t.wait(2, {.timeout = 0s, .poll_interval = 1s}).value() == std::nullopt);
    CHECK(t.calls == 1);
    CHECK(t.log.calls.empty());
}

TEST_CASE("a listener subscribes before the second look, and wakes a peer when it leaves with a job", "[pull][wait]") {
    fixture t;
    CHECK(t.wait(2).value() == 2);
    CHECK(t.log.calls == "register subscribe unsubscribe+wake ");
}

TEST_CASE("a wait that times out is followed by another look", "[pull][wait]") {
    fixture t;
    t.log.waits = {wake_reason::timeout, wake_reason::notified};
    CHECK(t.wait(4).value() == 4);
    CHECK(t.log.calls == "register subscribe wait wait unsubscribe+wake ");
}

TEST_CASE("without a job a call ends at its timeout and leaves without waking anybody", "[pull][wait]") {
    fixture t;
    CHECK(t.wait(0, {.timeout = 3s, .poll_interval = 1s}).value() == std::nullopt);
    CHECK(t.log.calls == "register subscribe wait wait wait unsubscribe ");
}

TEST_CASE("a call with a filter passes on a wake-up for a job that it does not take", "[pull][wait]") {
    fixture t;
    t.log.waits = {wake_reason::notified};
    CHECK(t.wait(4, {.timeout = 1h, .poll_interval = 1s, .filtered = true}).value() == 4);
    CHECK(t.log.calls == "register subscribe wait unsubscribe+wake wait subscribe unsubscribe+wake ");
}

TEST_CASE("the next call uses the idle listener, and the cache retires it in the end", "[pull][wait]") {
    fixture t;
    {
        session_cache<listening_driver> cache;
        for (int i = 0; i < 2; ++i) {
            int calls = 0;
            const auto second = [&](std::optional<duration>&) -> result<std::optional<int>> {
                return ++calls == 2 ? std::optional{2} : std::nullopt;
            };
            CHECK(wait_for_job(cache, t.driver, {.timeout = 1h, .poll_interval = 1s}, second).value() == 2);
        }
        CHECK(t.log.calls == "register subscribe unsubscribe+wake subscribe unsubscribe+wake ");
        t.log.calls.clear();
    }
    CHECK(t.log.calls == "retire ");
}

TEST_CASE("a failed look retires the listener and returns the error", "[pull][wait]") {
    fixture t;
    int calls = 0;
    const auto fails = [&](std::optional<duration>&) -> result<std::optional<int>> {
        if (++calls == 2) return errc::connection_lost;
        return std::optional<int>{};
    };
    CHECK(wait_for_job(t.cache, t.driver, {.timeout = 1h, .poll_interval = 1s}, fails).error() ==
          errc::connection_lost);
    CHECK(t.log.calls == "register subscribe retire ");
}

TEST_CASE("a negative timeout and a poll interval out of range are refused before the first look", "[pull][wait]") {
    fixture t;
    const auto [timeout, interval] =
        GENERATE(std::pair{-1ns, duration{1s}}, std::pair{0ns, duration{999us}}, std::pair{0ns, duration{24h} + 1ns});
    CHECK(t.wait(1, {.timeout = timeout, .poll_interval = interval}).error() == errc::invalid_option);
    CHECK(t.calls == 0);
}

TEST_CASE("a driver's clock that runs ahead shortens the time that is left", "[pull][wait]") {
    time_left left{1h};
    left.waited(40min, std::chrono::steady_clock::now());
    CHECK(left() <= 20min);
    CHECK(left() > 19min);
    left.waited(1min, std::chrono::steady_clock::now() - 2min);  // a wait that took longer is in the clock already
    CHECK(left() > 19min);
}

}  // namespace unit_pull_wait_for_job
