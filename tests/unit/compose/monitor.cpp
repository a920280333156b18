#include <pgq/compose/monitor.hpp>
#include <pgq/observer/none.hpp>

#include <support/catch.hpp>
#include <support/eventually.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <vector>

namespace unit_compose_monitor {

using namespace std::chrono_literals;

namespace {

// A database that only accepts heartbeats, and answers the first ones with `answers`.
struct heartbeat_log {
    std::vector<pgq::beat_reply> answers;
    std::mutex mutex;
    std::vector<std::chrono::steady_clock::time_point> beats;

    std::size_t count() {
        const std::lock_guard lock{mutex};
        return beats.size();
    }
};

struct heartbeat_driver {
    struct session {
        heartbeat_log* b;
        pgq::result<pgq::beat_reply> beat(pgq::worker_id) {
            const std::lock_guard lock{b->mutex};
            b->beats.push_back(std::chrono::steady_clock::now());
            const std::size_t n = b->beats.size() - 1;
            return n < b->answers.size() ? b->answers[n] : pgq::beat_reply{.alive = true};
        }
        pgq::result<pgq::rescue_reply> rescue() { return pgq::rescue_reply{}; }
        pgq::result<void> sweep() { return {}; }
    };
    pgq::result<session> connect(pgq::session_role) const { return session{b}; }

    heartbeat_log* b;
};

}  // namespace

TEST_CASE("a monitor sends heartbeats more often for a while after a compaction", "[unit][compose][monitor]") {
    const bool compacted = GENERATE(true, false);
    heartbeat_log b;
    b.answers = {{.alive = true, .compacted = compacted}};
    const heartbeat_driver driver{&b};
    pgq::observer::none nobody;
    pgq::detail::monitor<heartbeat_driver, pgq::observer::none> m{driver, nobody, 1500ms, [] {}, [] {}};
    m.start({1});
    REQUIRE(test::eventually([&] { return b.count() >= 5; }));
    m.stop();
    std::vector<std::chrono::steady_clock::duration> pauses;
    for (std::size_t i = 1; i < 5; ++i) pauses.push_back(b.beats[i] - b.beats[i - 1]);
    const auto shortest = std::ranges::min(pauses);
    if (compacted) CHECK(shortest < 500ms);
    else CHECK(shortest >= 500ms);
}

}  // namespace unit_compose_monitor
