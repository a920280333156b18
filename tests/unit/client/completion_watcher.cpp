#include <pgq/client/completion_watcher.hpp>

#include <support/catch.hpp>
#include <support/eventually.hpp>
#include <support/fake_session.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace unit_client_completion_watcher {

namespace {

using namespace std::chrono_literals;

// Jobs that never end, and what the watcher did with its session.
struct driver {
    struct events {
        std::atomic<int> asked{0}, interrupted{0};
    };
    struct session {
        pgq::result<void> watch(std::span<const pgq::job_id>, pgq::duration, std::vector<pgq::ended_job>&) {
            ++seen->asked;
            return {};
        }
        pgq::result<pgq::wake_reason> wait(pgq::duration pause) {
            const int before = seen->interrupted;
            (void)test::eventually(std::chrono::duration_cast<std::chrono::milliseconds>(pause),
                                   [&] { return seen->interrupted != before; });
            return pgq::wake_reason::interrupted;
        }
        pgq::result<pgq::purge_reply> expire_and_purge() { return pgq::purge_reply{}; }
        void interrupt() noexcept { ++seen->interrupted; }

        events* seen;
    };
    pgq::result<session> connect(pgq::session_role) const { return session{seen}; }

    events* seen;
};

}  // namespace

TEST_CASE("a wait completes as closed if its watcher is destroyed while it answers another one", "[completion]") {
    driver::events seen;
    const driver d{&seen};
    using watcher_type = pgq::detail::completion_watcher<driver>;
    auto watcher = std::make_unique<watcher_type>(d);
    const std::array ids{pgq::job_id{1}};
    const auto deadline = std::chrono::steady_clock::now() + 1h;
    std::promise<void> answering;
    std::optional<pgq::result<std::vector<pgq::ended_job>>> ended;

    const auto first = watcher->next_wait_id();
    watcher->async_wait(first, ids, deadline, {}, [&](const auto&) {
        const int before = seen.interrupted;
        answering.set_value();
        // The last thing that the watcher does before it joins its thread.
        CHECK(test::eventually([&] { return seen.interrupted != before; }));
    });
    watcher->async_wait(watcher->next_wait_id(), ids, deadline, {}, [&](auto answer) { ended = std::move(answer); });
    REQUIRE(test::eventually([&] { return seen.asked > 0; }));
    watcher->cancel_wait(first, pgq::error_info{pgq::errc::timeout, "called off"});
    answering.get_future().get();
    watcher.reset();
    REQUIRE(ended);
    CHECK(ended->error() == pgq::errc::closed);
}

namespace {

// Jobs that end when the test says so, over sessions that may fail.
struct scripted_driver {
    struct script {
        std::mutex mutex{};
        std::condition_variable changed{};
        std::vector<pgq::error_info> failures{};  // of the next questions
        std::vector<pgq::ended_job> ended{};
        std::atomic<int> connected{0}, asked{0};
        bool interrupted = false;

        void end(std::int64_t id) {
            const std::lock_guard lock{mutex};
            ended.push_back({.id = {id}, .kind = pgq::end_kind::done});
            changed.notify_all();
        }
    };
    using policy_category = pgq::driver_tag;
    struct session : test::fake_session {
        explicit session(script* s) : does{s} {}

        pgq::result<void> watch(std::span<const pgq::job_id> ids, pgq::duration, std::vector<pgq::ended_job>& out) {
            const std::lock_guard lock{does->mutex};
            ++does->asked;
            if (!does->failures.empty()) {
                auto e = std::move(does->failures.back());
                does->failures.pop_back();
                return e;
            }
            for (const auto& e : does->ended)
                if (std::find(ids.begin(), ids.end(), e.id) != ids.end()) out.push_back(e);
            seen = does->ended.size();
            return {};
        }
        pgq::result<pgq::wake_reason> wait(pgq::duration pause) {
            std::unique_lock lock{does->mutex};
            does->changed.wait_for(lock, pause, [&] { return does->interrupted || does->ended.size() != seen; });
            return std::exchange(does->interrupted, false) ? pgq::wake_reason::interrupted : pgq::wake_reason::notified;
        }
        void interrupt() noexcept {
            const std::lock_guard lock{does->mutex};
            does->interrupted = true;
            does->changed.notify_all();
        }

        script* does;
        std::size_t seen = 0;
    };
    pgq::result<void> install() const { return {}; }
    pgq::result<session> connect(pgq::session_role) const {
        ++does->connected;
        return session{does};
    }

    script* does;
};
using scripted_watcher = pgq::detail::completion_watcher<scripted_driver>;

pgq::steady_time soon() { return std::chrono::steady_clock::now() + test::test_timeout; }

}  // namespace

TEST_CASE("threads that wait share one session, and each gets the ends of its own jobs", "[completion]") {
    scripted_driver::script script;
    const scripted_driver driver{&script};
    scripted_watcher watcher{driver};
    constexpr std::int64_t threads = 4;
    std::vector<std::future<scripted_watcher::answer>> answers;
    for (std::int64_t i = 1; i <= threads; ++i)
        answers.push_back(std::async(std::launch::async, [&, i] {
            const std::array ids{pgq::job_id{i}, pgq::job_id{i + threads}};
            return watcher.wait(ids, soon(), {});
        }));
    for (std::int64_t id = 2 * threads; id > 0; --id) script.end(id);
    for (std::int64_t i = 1; i <= threads; ++i) {
        const auto ends = answers[static_cast<std::size_t>(i - 1)].get().value();
        REQUIRE(ends.size() == 2);
        CHECK(ends[0].id == pgq::job_id{i});
        CHECK(ends[1].id == pgq::job_id{i + threads});
    }
    CHECK(script.connected == 1);
}

TEST_CASE("a wait survives a lost connection, and ends with any other error", "[completion]") {
    scripted_driver::script script;
    const scripted_driver driver{&script};
    scripted_watcher watcher{driver};
    const std::array ids{pgq::job_id{1}};
    script.end(1);
    SECTION("lost") {
        script.failures = {pgq::errc::connection_lost};
        CHECK(watcher.wait(ids, soon(), {}).value().front().kind == pgq::end_kind::done);
        CHECK(script.connected == 2);
    }
    SECTION("another error") {
        script.failures = {pgq::errc::schema_missing};
        CHECK(watcher.wait(ids, soon(), {}).error() == pgq::errc::schema_missing);
        CHECK(script.asked == 1);
    }
}

TEST_CASE("a wait without a thread completes with the ends, or with the error it is cancelled with", "[completion]") {
    scripted_driver::script script;
    const scripted_driver driver{&script};
    scripted_watcher watcher{driver};
    std::promise<scripted_watcher::answer> first, second;
    const auto wait = [&](std::int64_t id, auto& promise) {
        const std::array ids{pgq::job_id{id}};
        const auto number = watcher.next_wait_id();
        watcher.async_wait(number, ids, soon(), {}, [&](auto answer) { promise.set_value(std::move(answer)); });
        return number;
    };
    wait(1, first);
    const auto number = wait(2, second);
    script.end(1);
    CHECK(first.get_future().get().value().front().id == pgq::job_id{1});
    watcher.cancel_wait(number, {pgq::errc::timeout, "cancelled"});
    CHECK(second.get_future().get().error().message == "cancelled");
}

}  // namespace unit_client_completion_watcher
