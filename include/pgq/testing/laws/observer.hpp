#pragma once

#include <pgq/concept/observer.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/event/events.hpp>
#include <pgq/testing/catch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace pgq::laws {

namespace detail {

/// Sends every event of pgq/event/events.hpp to an observer. The contents are overwritten and freed after each event.
template <class O>
class event_sender {
public:
    explicit event_sender(O& to) : to_{&to} {}

    /// Returns true if nothing was thrown. `text` is used as entrypoint, reason and message.
    bool send_all(const std::string& text, std::int64_t number, duration time) {
        error_info error{errc::connection_lost, text, text};
        error.detail = text;
        error.statement = text;
        const auto small = static_cast<std::int32_t>(number);
        const auto attempt = static_cast<std::int16_t>(number);
        const auto count = static_cast<std::size_t>(number);
        send(event::worker_started{.worker = {small}});
        send(event::jobs_claimed{.worker = {small}, .count = count, .entrypoint = text, .queue = text});
        for (std::size_t k = 0; k < outcome::kinds; ++k) {
            std::string entrypoint = text, reason = text;
            send(event::job_started{.id = {number}, .entrypoint = entrypoint, .attempt = attempt, .queue = text});
            send(event::job_finished{.id = {number},
                                     .entrypoint = entrypoint,
                                     .attempt = attempt,
                                     .what = static_cast<outcome::kind>(k),
                                     .reason = reason,
                                     .run_time = time,
                                     .queue = text});
            std::fill(entrypoint.begin(), entrypoint.end(), '#');
            std::fill(reason.begin(), reason.end(), '#');
        }
        send(event::lease_lost{.lease = number, .unfinished = count});
        send(event::connection_failed{.error = error, .next_try = time});
        send(event::connection_restored{});
        send(event::jobs_rescued{.workers = number, .returned = number, .held = number});
        send(event::held_by_rescue{.id = {number}, .reason = text});
        send(event::database_problem_found{.problem = text, .message = text, .remedy = text});
        send(event::error{.error = error});
        send(event::try_failed{.id = {number},
                               .entrypoint = text,
                               .attempt = attempt,
                               .try_number = small,
                               .reason = text,
                               .pause = time});
        send(event::handler_exceeded_timeout{.id = {number}, .entrypoint = text, .attempt = attempt, .run_time = time});
        send(event::limit_differs{.entrypoint = text, .declared = {.amount = small}, .stored = {.amount = small}});
        const time_point at{std::chrono::microseconds{number}};
        send(event::schedule_fired{.schedule = text, .scheduled_at = at, .job = {number}, .late = time});
        send(event::schedule_skipped{.schedule = text, .scheduled_at = at, .reason = text});
        send(event::schedule_missed{.schedule = text, .from = at, .to = at});
        send(event::paused{.worker = {small}, .queue = text, .entrypoint = text, .reason = text});
        send(event::resumed{.worker = {small}, .queue = text, .entrypoint = text});
        send(event::jobs_enqueued{.queue = text, .entrypoint = text, .count = count});
        send(event::jobs_returned{.worker = {small}, .queue = text, .entrypoint = text, .count = count});
        send(event::job_cancelled{.id = {number}, .queue = text, .entrypoint = text, .attempt = attempt});
        send(event::cancel_requested{.queue = text, .removed = number, .stopping = number});
        send(event::worker_stopped{.worker = {small}});
        return good_;
    }

private:
    template <class Event>
    void send(const Event& e) {
        static_assert(pgq::detail::contains_v<Event, event::all>);
        if constexpr (observes<O, Event>) {
            try {
                to_->on(e);
            } catch (...) { good_ = false; }
        }
    }

    O* to_;
    bool good_ = true;
};

}  // namespace detail

/// Checks the laws of observers. `make()` returns one. Run it with the address sanitizer, which finds an observer that
/// keeps a view of an event after the call, and with the thread sanitizer, because several threads call an observer.
template <observer_policy Observer, class Make>
void check_observer(Make make) {
    static_assert(observes_something<Observer>);
    using event_sender = detail::event_sender<Observer>;

    SECTION("no event makes it throw, with empty or large contents") {
        Observer observer = make();
        event_sender to{observer};
        CHECK(to.send_all("", 0, {}));
        CHECK(to.send_all("send_email", 1, duration{1}));
        CHECK(to.send_all(std::string(100'000, 'x'), INT64_MAX, duration::max()));
        CHECK(to.send_all("\n\"\\ =\x1b[2J\xff\xc3", -1, duration::min()));
        CHECK(to.send_all(std::string(3, '\0'), INT64_MIN, duration{-1}));
    }
    SECTION("several threads can send all events at once") {
        Observer observer = make();
        std::atomic<int> thrown{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&observer, &thrown, t] {
                event_sender to{observer};
                for (int i = 0; i < 250; ++i)
                    if (!to.send_all("entrypoint " + std::to_string((i + t) % 50), i, duration{i})) ++thrown;
            });
        for (auto& thread : threads) thread.join();
        CHECK(thrown == 0);
    }
    SECTION("it works after a move") {
        Observer first = make();
        Observer second = std::move(first);
        event_sender to{second};
        CHECK(to.send_all("here", 1, duration{1}));
    }
    SECTION("notify sends the events that it handles and ignores the others") {
        Observer observer = make();
        notify(observer, event::job_started{.id = {1}, .entrypoint = "x", .attempt = 1});
        notify(observer, event::job_finished{.id = {1}, .entrypoint = "x", .attempt = 1});
        notify(observer, event::error{});
        SUCCEED("nothing ended the program");
    }
}

}  // namespace pgq::laws
