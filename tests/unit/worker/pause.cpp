#include <pgq/client.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/worker.hpp>

#include <support/catch.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace unit_worker_pause {

using namespace std::chrono_literals;
using pgq::pause_kind;
using test::always, test::eventually, test::letter, test::note;

namespace {

/// Keeps what is paused and resumed, as text.
class recorder {
public:
    using policy_category = pgq::observer_tag;

    void on(const pgq::event::paused& e) {
        add("paused " + scope(e) + std::string{name_of(e.kind)} + ": " + std::string{e.reason});
    }
    void on(const pgq::event::resumed& e) { add("resumed " + scope(e) + std::string{name_of(e.kind)}); }

    std::vector<std::string> all() const {
        const std::lock_guard lock{seen_->mutex};
        return seen_->all;
    }

private:
    struct events {
        std::mutex mutex{};
        std::vector<std::string> all{};
    };
    template <class Event>
    static std::string scope(const Event& e) {
        return std::string{e.queue} + "/" + std::string{e.entrypoint} + " ";
    }
    void add(std::string text) {
        const std::lock_guard lock{seen_->mutex};
        seen_->all.push_back(std::move(text));
    }
    std::shared_ptr<events> seen_ = std::make_shared<events>();
};

using queue =
    pgq::queue<note, letter, pgq::driver::memory, pgq::serializer::json, recorder, pgq::executor::thread_pool>;
using strings = std::vector<std::string>;

}  // namespace

TEST_CASE("a paused worker gives back what it has not begun, ends what runs, and goes on after the resume",
          "[worker][pause]") {
    recorder seen;
    queue jobs{pgq::driver::memory{}, {}, pgq::executor::thread_pool{1}, seen};
    (void)jobs.enqueue(test::notes(5)).value();
    test::gate gate;
    test::run_log log;
    test::running_worker w{jobs,
                           {.poll_interval = 1h},
                           [&](const note& n, const pgq::context& c) {
                               log.add(n.n, c);
                               (void)gate.pass(c);
                           },
                           [](const letter&) {}};
    REQUIRE(eventually([&] { return gate.waiting() == 1 && jobs.counts<note>().value().leased > 1; }));
    CHECK(jobs.pause<note>("maintenance").value());
    CHECK(eventually(
        [&] { return jobs.counts<note>().value() == pgq::lane_counts{.ready = 4, .leased = 1, .paused = true}; }));
    gate.open();
    CHECK(eventually([&] { return jobs.counts<note>().value() == pgq::lane_counts{.ready = 4, .paused = true}; }));
    (void)jobs.enqueue(test::notes(1)).value();
    CHECK(always(50ms, [&] { return log.size() == 1; }));
    CHECK(jobs.resume<note>().value());
    CHECK(eventually([&] { return log.size() == 6; }));
    for (const auto& s : log.all()) CHECK(s.attempt == 1);
    CHECK(seen.all() == strings{"paused default/note paused: maintenance", "resumed default/note paused"});
}

TEST_CASE("while one entrypoint is paused the others go on", "[worker][pause]") {
    queue jobs;
    CHECK(jobs.pause<note>("maintenance").value());
    (void)jobs.enqueue(test::notes(3)).value();
    (void)jobs.enqueue(letter{1}).value();
    test::run_log log;
    test::run_until_empty(
        jobs, {}, [](const note&) { FAIL("it is paused"); },
        [&](const letter& l, const pgq::context& c) { log.add(l.n, c); });
    CHECK(log.size() == 1);
    CHECK(jobs.counts<note>().value() == pgq::lane_counts{.ready = 3, .paused = true});
}

TEST_CASE("a worker on its own thread gives back what it has not begun, too", "[worker][pause]") {
    pgq::queue<note, pgq::driver::memory, pgq::serializer::json, pgq::executor::in_place> jobs;
    (void)jobs.enqueue(test::notes(200)).value();
    test::run_log log;
    test::running_worker w{jobs, {.poll_interval = 1h}, [&](const note& n, const pgq::context& c) {
                               if (log.add(n.n, c).n == 20) (void)jobs.pause<note>("from a handler").value();
                           }};
    CHECK(eventually([&] { return jobs.counts<note>().value().paused && jobs.counts<note>().value().leased == 0; }));
    const auto begun = log.size();
    CHECK(jobs.counts<note>().value().ready + static_cast<std::int64_t>(begun) == 200);
    CHECK(always(50ms, [&] { return log.size() == begun; }));
    (void)jobs.resume<note>().value();
    CHECK(eventually([&] { return log.size() == 200; }));
    CHECK(log.each_ran_once(200));
}

TEST_CASE("a draining queue refuses jobs of all its types until the resume", "[worker][pause]") {
    recorder seen;
    queue jobs{pgq::driver::memory{}, {}, pgq::executor::thread_pool{1}, seen};
    (void)jobs.enqueue(test::notes(2)).value();
    CHECK(jobs.drain("moving to another queue").value());
    CHECK_FALSE(jobs.drain("moving").value());
    const auto check = [](const pgq::error_info& refused) {
        CHECK(refused == pgq::errc::draining);
        CHECK(refused == pgq::condition::permanent);
        CHECK(refused.message.find("takes no new jobs: moving") != std::string::npos);
    };
    check(jobs.enqueue(note{}).error());
    check(jobs.enqueue(letter{}).error());
    check(jobs.enqueue(test::notes(3)).error());
    test::run_log log;
    test::run_until_empty(
        jobs, {}, [&](const note& n, const pgq::context& c) { log.add(n.n, c); }, [](const letter&) {});
    CHECK(log.size() == 2);
    CHECK(jobs.counts<letter>().value() == pgq::lane_counts{.draining = true});
    CHECK(jobs.resume().value());
    CHECK_FALSE(jobs.resume().value());
    CHECK(jobs.enqueue(letter{}).has_value());
}

TEST_CASE("paused lists entrypoint, queue and everything, and each is resumed by itself", "[worker][pause]") {
    const pgq::driver::memory d;
    queue jobs{d};
    CHECK(jobs.pause<note>("one").value());
    CHECK(jobs.drain<note>("two").value());
    CHECK(jobs.pause("three").value());
    CHECK(jobs.pause_all("four").value());
    CHECK(jobs.drain_all("five").value());
    CHECK(jobs.paused().value().size() == 5);
    CHECK(jobs.counts<note>().value() == pgq::lane_counts{.paused = true, .draining = true});
    CHECK(jobs.resume<note>().value());
    CHECK(jobs.resume_all().value());
    const auto left = jobs.paused().value();
    REQUIRE(left.size() == 1);
    CHECK(left[0].reason == "three");
    CHECK(left[0].entrypoint.empty());
    CHECK(jobs.resume().value());
    CHECK(jobs.counts<note>().value() == pgq::lane_counts{});
    CHECK(jobs.pause<note>(std::string_view{"\0", 1}).error() == pgq::errc::invalid_text);
}

TEST_CASE("a poller gives back what it claimed ahead of a pause", "[poll][pause]") {
    queue jobs;
    (void)jobs.enqueue(test::notes(3)).value();
    auto poller = jobs.poll<note>({.timeout = 0s, .prefetch = 3});
    auto first = poller.next().value();
    REQUIRE(first.has_value());
    CHECK(jobs.counts<note>().value().leased == 3);
    CHECK(jobs.pause<note>("maintenance").value());
    CHECK_FALSE(poller.next().value().has_value());
    CHECK(jobs.counts<note>().value() == pgq::lane_counts{.ready = 2, .leased = 1, .paused = true});
    CHECK_FALSE(jobs.get<note>({.timeout = 0s}).value().has_value());
    first->ack().value();
    CHECK(jobs.resume<note>().value());
    const auto second = poller.next().value();
    REQUIRE(second.has_value());
    CHECK(second->attempts() == 1);
}

TEST_CASE("a wait for a job ends when the queue is resumed", "[poll][pause]") {
    queue jobs;
    CHECK(jobs.pause("maintenance").value());
    (void)jobs.enqueue(test::notes(1)).value();
    const auto begun = std::chrono::steady_clock::now();
    std::jthread operator_{[&] {
        CHECK(eventually([&] { return std::chrono::steady_clock::now() - begun > 50ms; }));
        (void)jobs.resume().value();
    }};
    const auto got = jobs.get<note>({.timeout = test::test_timeout, .poll_interval = 1h}).value();
    CHECK(got.has_value());
}

}  // namespace unit_worker_pause
