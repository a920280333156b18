#include <pgq/compose/waiting_room.hpp>

#include <support/catch.hpp>
#include <support/eventually.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace unit_compose_waiting_room {

namespace {

using namespace std::chrono_literals;

// Jobs that never end, and a record of the calls to the session.
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
        pgq::result<pgq::sweep_reply> sweep() { return pgq::sweep_reply{}; }
        void interrupt() noexcept { ++seen->interrupted; }

        events* seen;
    };
    pgq::result<session> connect(pgq::session_role) const { return session{seen}; }

    events* seen;
};

}  // namespace

TEST_CASE("a waiter gets errc::closed if the object is destroyed while it answers another waiter", "[completion]") {
    driver::events seen;
    const driver d{&seen};
    using room_type = pgq::detail::waiting_room<driver>;
    auto room = std::make_unique<room_type>(d);
    const std::array ids{pgq::job_id{1}};
    const auto deadline = std::chrono::steady_clock::now() + 1h;
    std::promise<void> answering;
    std::optional<pgq::result<std::vector<pgq::ended_job>>> second_answer;

    const auto first = room->ticket();
    room->wait_aside(first, ids, deadline, {}, [&](const auto&) {
        const int before = seen.interrupted;
        answering.set_value();
        // The destructor interrupts the session just before it joins its own thread.
        CHECK(test::eventually([&] { return seen.interrupted != before; }));
    });
    room->wait_aside(room->ticket(), ids, deadline, {}, [&](auto answer) { second_answer = std::move(answer); });
    REQUIRE(test::eventually([&] { return seen.asked > 0; }));
    room->forget(first, pgq::error_info{pgq::errc::timeout, "called off"});
    answering.get_future().get();
    room.reset();
    REQUIRE(second_answer);
    CHECK(second_answer->error() == pgq::errc::closed);
}

}  // namespace unit_compose_waiting_room
